"""What common credentials look like: the default of `JOBTAIL_REDACT`, and what tells a secret from a word.

The forms follow the public rule sets of gitleaks and detect-secrets, whose facts (prefixes, lengths, alphabets) are
used here. Each entry is an RE2 expression. What its group holds is blanked: `secret` always, `assigned` unless it is
plainly a placeholder, and `likely` only where it looks like a secret and not like a word or a name. Without a group
the whole match goes. Most expressions do not ask where a word begins, because the escape sequence of a colour in
front of a credential ends with a letter.
"""

from __future__ import annotations

import re
from itertools import pairwise

_QUOTES = r"[\\\"']{0,8}"
_IS = rf"{_QUOTES}\s{{0,4}}(?::=|=>|[:=,])\s{{0,4}}"
# Keys whose value is a credential wherever they stand.
_KEY = (
    r"(?:pass(?:word|wd|phrase|code)|passw|pwd|(?:[a-z0-9]_)pass|secret(?:[ _-]?(?:access|key|token|value|base|id))*"
    r"|(?:api|access|private|signing|encryption|account|master|auth|service|storage)[ _-]?key(?:_base)?"
    r"|api[_-]?secret|credentials?|token|connection[_-]?string|(?:basic|cli|npm|docker)[_-]auth|[a-z0-9][_-]auth)"
)
# In the names of environment variables the word may stand anywhere: APP_SECRET_V2, TOKEN_PROD.
_VARIABLE = (
    r"[A-Z0-9_]*(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIAL)[A-Z0-9_]+"
)
_BARE = r"(?:[^\s\"'\\,;&]|\\[^\s\"'\\nrt])"
_PEM_HEADER = r"(?:(?:\s|\\[nr])*(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash):[^\n\\]*)*"

_FORMS = (
    r"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}\b",
    r"gh[pousr]_[A-Za-z0-9]{36,255}\b",
    r"github_pat_[A-Za-z0-9_]{60,255}\b",
    r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct|trt)-[A-Za-z0-9_.=-]{20,255}",
    r"xox[abceposr](?:\.xox[bp])?-[A-Za-z0-9-]{10,255}\b",
    r"xapp-[0-9]-[A-Za-z0-9-]{10,255}\b",
    r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/_+-]{20,255})",
    r"discord(?:app)?\.com/api/webhooks/[0-9]+/(?P<secret>[A-Za-z0-9_-]{40,255})",
    r"(?:\b|\[[0-9;:]*m)(?P<likely>sk-[A-Za-z0-9_-]{20,255})",
    r"(?P<likely>(?:gsk_|r8_|hf_|api_org_|npm_|nfp_|glsa_|glc_|sntrys_|sntryu_|ntn_|dckr_pat_|dckr_oat_|wandb_v1_|fo1_|fm2_"
    r"|lin_api_|lin_oauth_|sbp_|pscale_tkn_|pscale_pw_|pscale_oauth_|figd_|rubygems_|fpat_)[A-Za-z0-9_+/=-]{30,500})",
    r"(?P<likely>(?:nvapi|pplx|xai|pypi|tskey-[a-z]{2,12}|PMAK|NRAK|CFPAT|GOCSPX|sq0(?:atp|csp))-[A-Za-z0-9_-]{20,500})",
    r"AIza[0-9A-Za-z_-]{35}\b",
    r"ya29\.[0-9A-Za-z_-]{20,500}",
    r"(?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{10,255}",
    r"whsec_[A-Za-z0-9+/=]{20,255}",
    r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{30,64}",
    r"\bSK[0-9a-f]{32}\b",
    r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}\b",
    r"do[pors]_v1_[a-f0-9]{64}\b",
    r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b",
    r"\bdapi[a-f0-9]{32}(?:-[0-9])?\b",
    r"\bhv[sbr]\.[A-Za-z0-9_-]{24,500}",
    r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{40,255}",
    r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,255}",
    r"ATATT3[A-Za-z0-9_=-]{60,500}",
    r"AGE-SECRET-KEY-1[0-9A-Z]{58}",
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+){0,2}",
    # A shared link of this service: anybody who has it may look.
    r"/s/(?P<secret>\.?[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{43})",
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----" + _PEM_HEADER + r"[A-Za-z0-9+/=\s\\]*"
    r"(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)?",
)  # fmt: skip

_HEADERS = (
    # Schemes whose credentials are several parameters: all of the line.
    rf"(?i)authorization{_IS}{_QUOTES}(?:digest|aws4-hmac-sha256|signature|oauth|hawk|hmac[a-z0-9-]*)\s+(?P<secret>[^\r\n]+)",
    rf"(?i)authorization{_IS}{_QUOTES}(?:bearer|basic|token|negotiate|ntlm|apikey|api-key|key|splunk|sso-key"
    r"|fused-[a-z-]+)\s+(?P<assigned>[^\s\"',;\\]+)",
    rf"(?i)authorization{_IS}{_QUOTES}[a-z][a-z0-9_.-]*\s+(?P<likely>[^\s\"',;\\]{{6,}})",
    rf"(?i)authorization{_IS}{_QUOTES}(?P<likely>[^\s\"',;\\]{{6,}})",
    r"(?i)\b(?:bearer|fused-[a-z]+-?[a-z]*)\s+(?P<likely>[A-Za-z0-9._~+/=-]{12,})",
    rf"(?i)\b(?:set-)?cookie2?{_IS}{_QUOTES}(?P<secret>[!#$%&*+.^_|~0-9a-z-]+=[^\r\n\"'\\]+)",
)

_ASSIGNMENTS = (
    rf"(?i){_KEY}{_IS}\"(?P<assigned>(?:[^\"\\\n]|\\[^\n])+)\"",
    rf"(?i){_KEY}{_IS}'(?P<assigned>(?:[^'\\\n]|\\[^\n])+)'",
    rf"(?i){_KEY}{_IS}\\+\"(?P<assigned>[^\"\\\n]+)\\+\"",
    rf"(?i){_KEY}\s{{0,4}}(?::=|=>|=)\s{{0,4}}(?P<assigned>{_BARE}+)",
    # Between blanks a `&` is part of the value; without them it begins the next parameter of an address.
    rf"(?i){_KEY}\s{{1,4}}(?::=|=>|=)\s{{1,4}}(?P<assigned>[^\s\"'\\,;]+)",
    rf"(?i){_KEY}{_QUOTES}:\s{{0,4}}(?P<likely>{_BARE}+)",
    rf"\b{_VARIABLE}{_IS}{_QUOTES}(?P<likely>{_BARE}+)",
    r"(?i)--(?:password|passphrase|token|secret|api-key|access-token|auth-token|client-secret)"
    rf"\s{{1,4}}{_QUOTES}(?P<likely>{_BARE}+)",
    # {"name": "DB_PASSWORD", "value": "..."}, as container definitions have it.
    rf"(?i)name[\\\"']+:\s*[\\\"']+[a-z0-9_.-]*{_KEY}[\\\"']+,\s*[\\\"']+value[\\\"']+:\s*[\\\"']+(?P<assigned>[^\"'\\]+)",
    r"(?i)[a-z][a-z0-9+.-]*://[^\s:/@]*:(?P<secret>[^\s/@]+)@",
    r"(?i)[a-z][a-z0-9+.-]*://(?P<likely>[^\s:/@]{16,})@",
    r"(?i)[?&](?:x-amz-(?:signature|security-token)|x-goog-signature|sig|signature|code|key)=(?P<likely>[^\s&\"'<>#\\]{8,})",
    r"(?i)account_?key=(?P<secret>[A-Za-z0-9+/=]{40,})",
    r"\"auth\\?\"\s*:\s*\\?\"(?P<likely>[A-Za-z0-9+/=]{8,})",
    r"(?i)\bcurl\b[^\n]*?\s(?:-u|--user)[ =][\"']?[^\s:\"']+:(?P<assigned>[^\s\"']+)",
    r"\b(?:mysql(?:dump|admin)?|sshpass)\b[^\n]*?\s-p ?(?P<likely>[^\s\"'-][^\s\"']+)",
    r"(?i)\blogin\s+\S+\s+password\s+(?P<assigned>\S+)",
    r"(?i)(?:identified\s+by|password)\s+[\"'](?P<assigned>[^\"'\n]+)[\"']",
)

REDACT = (*_FORMS, *_HEADERS, *_ASSIGNMENTS)

_WORDS = frozenset((
    "none", "null", "nil", "undefined", "true", "false", "yes", "no", "on", "off", "empty", "unset", "set", "required",
    "missing", "invalid", "incorrect", "expired", "optional", "hidden", "redacted", "masked", "filtered", "removed",
    "string", "str", "password", "token", "secret", "value", "wrong", "denied", "failed", "prompt", "default", "not",
    "bytes", "int", "auto", "env", "file", "and", "for", "required.",
))  # fmt: skip
_PLACEHOLDER = re.compile(
    r"<[^>]*>|\[[^\]]*\]|\{+[^}]*\}+|%\(?\w*\)?s?|\$\{.*|\$\(.*|\$[A-Z_][A-Z0-9_]*|[*xX.•#_-]+|[(=<>!|].*"
)
_REFERENCE = re.compile(
    r"(?:os\.|self\.|cls\.|args\.|settings\.|config\.|cfg\.|process\.|secrets\.|var\.|env\.|this\.|options\.)\S*|\w+\(.*"
)
_PLACE = re.compile(r"(?:~|\.{1,2})?(?:/[a-z0-9._-]+)+/?|[A-Za-z]:\\\S*|[a-z][a-z0-9+.-]*://[^@]*|arn:\S*|vault:\S*")
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,_]*(?:[eE][-+]?[0-9]+)?[a-z%]{0,2}")
_NAME = re.compile(r"[A-Za-z0-9]+(?:[-_./:@][A-Za-z0-9]+)+[.:]?")
_PROSE = re.compile(r"[(\[]?(?:[A-Z]?[a-z']+|[A-Z]+|[A-Z][a-z]+(?:[A-Z][a-z]+){1,4})[)\].!?:]*")
_RANDOM_PART = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9]{8,}")
_FEWEST = 4  # characters of a value that is worth blanking


def assigned(value: str, key: str) -> bool:
    """Whether the value that was given to a key of that name is one, and no placeholder, number or place. `key`: the
    text that the value was found behind, in lower case."""
    text = value.strip()
    if len(text) < _FEWEST or text.lower().rstrip(".,:") in _WORDS or _PLACEHOLDER.fullmatch(text):
        return False
    if _NUMBER.fullmatch(text):
        return _name(key).endswith(("pass", "passwd", "password", "pwd", "passcode", "key")) or len(text) > 15
    if _REFERENCE.fullmatch(text) or _PLACE.fullmatch(text):
        return False
    return not (_bare_secret(key) and not random(text))


def likely(value: str, key: str) -> bool:
    """Whether the value looks like a secret: neither a word nor a name made of words."""
    text = value.strip()
    if not assigned(value, key):
        return False
    return random(text) or ("pass" in key and text.isdigit())


def random(text: str) -> bool:
    """Whether a text looks drawn and not written: digits among letters, changes of case, signs within."""
    if _PROSE.fullmatch(text):
        return len(text) >= 20 and _changes(text) > 6
    if _NAME.fullmatch(text):
        return any(_RANDOM_PART.fullmatch(part) or random_part(part) for part in re.split(r"[-_./:@]", text))
    digits = any(letter.isdigit() for letter in text)
    letters = any(letter.isalpha() for letter in text)
    signs = any(not letter.isalnum() and letter not in "-_.:/,()'" for letter in text)
    return (digits and letters) or (signs and (letters or digits)) or random_part(text)


def random_part(part: str) -> bool:
    """A long run of letters that changes case often, which no name does."""
    return len(part) >= 16 and _changes(part) > 5


def _changes(text: str) -> int:
    return sum(before.islower() != after.islower() for before, after in pairwise(text))


def _bare_secret(key: str) -> bool:
    """`secret: name` mostly names a secret kept elsewhere (Kubernetes, GitHub): only what looks drawn is one."""
    return _name(key) == "secret" and key.rstrip(" \"'\\").endswith(":")


def _name(key: str) -> str:
    return re.split(r"[^a-z0-9_-]", key.rstrip(" \"'\\:=>,"))[-1]
