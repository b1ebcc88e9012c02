// The token's address goes from the history.
location.replace(document.querySelector("#go").href);
