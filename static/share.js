// A shared link's door: on to the job, with the token's address gone from the history.
location.replace(document.querySelector("#go").href);
