"""Every setting, in one table: a field here is a `JOBTAIL_` variable, a line in `docs/settings.md`, and where it
helps a flag of `jobtail serve`. They are read once, at the start, and passed on as values.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

import platformdirs
import re2
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from .credentials import REDACT
from .errors import SettingsError
from .setting_words import WORDS


def split(value: Any) -> Any:
    """A comma-separated variable as a tuple."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


_TOKEN = re.compile(r"[!-~]*")


def bare(value: Any) -> Any:
    """A secret without the blanks or the newline around it: no header could hold them."""
    return value.strip() if isinstance(value, str) else value


_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:\d{0,5})?")  # of the address of a database
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+/?")


# The first parts of our own paths.
_OURS = frozenset(("api", "jobs", "s", "login", "logout", "static", "server", "healthz", "readyz", "metrics"))


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="JOBTAIL_", env_file=".env", extra="ignore", hide_input_in_errors=False
    )

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8484

    upstream_url: str = ""
    upstream_token: SecretStr = SecretStr("")
    upstream_auth_scheme: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$")] = "Bearer"
    access_token: SecretStr = SecretStr("")
    metrics_token: SecretStr = SecretStr("")
    run_token: SecretStr = SecretStr("")
    run_jobs_a_minute: Annotated[int, Field(ge=1)] = 600
    run_lines_a_minute: Annotated[int, Field(ge=1)] = 6_000_000
    run_bytes_a_minute: Annotated[int, Field(ge=1)] = 1 << 30
    run_open_jobs: Annotated[int, Field(ge=1)] = 1000
    trusted_user_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]*$")] = ""
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    secret_key: SecretStr = SecretStr("")
    public_url: str = ""
    data_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("jobtail")))
    database_url: SecretStr = SecretStr("")
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    refresh_seconds: Annotated[float, Field(ge=0.05, le=60)] = 1.0
    late_window_seconds: Annotated[float, Field(ge=0, le=120)] = 10.0
    retention_days: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 14.0
    journal_max_bytes: Annotated[int, Field(ge=1 << 20)] = 10 << 30
    disk_reserve_bytes: Annotated[int, Field(ge=0)] = 512 << 20
    max_viewers: Annotated[int, Field(ge=1)] = 5000
    max_viewers_per_job: Annotated[int, Field(ge=1)] = 2000
    max_line_bytes: Annotated[int, Field(ge=64)] = 65536
    redact: Annotated[tuple[str, ...], NoDecode] = REDACT

    _lists = field_validator("trusted_proxies", "allowed_origins", mode="before")(split)
    _bare = field_validator(
        "access_token", "metrics_token", "run_token", "upstream_token", "secret_key", mode="before"
    )(bare)

    @field_validator("data_dir", mode="before")
    @classmethod
    def _folder(cls, value: Any) -> Any:
        """Empty is the default. A `~` that no shell has seen, as in `.env` or a unit file, is the home of the user."""
        try:
            return Path(value).expanduser() if value else Path(platformdirs.user_data_dir("jobtail"))
        except RuntimeError:
            raise ValueError("there is no such user, or no home of this one") from None

    @field_validator("upstream_token")
    @classmethod
    def _header(cls, value: SecretStr) -> SecretStr:
        if not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("no header can hold that")
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not an origin")
        return value

    @field_validator("redact", mode="before")
    @classmethod
    def _patterns(cls, value: Any) -> Any:
        """One expression a line: a comma or a blank is part of an expression. Empty: nothing is blanked."""
        patterns = tuple(filter(None, value.splitlines())) if isinstance(value, str) else value
        quiet = re2.Options()
        quiet.log_errors = False  # which it would otherwise print on standard error
        for pattern in patterns:
            try:
                re2.compile(pattern, quiet)
            except re2.error as error:
                raise ValueError(f"{pattern!r} is no RE2 expression ({error})") from None
        return patterns

    @field_validator("upstream_url", "public_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        try:
            _ = parts.port
        except ValueError:
            raise ValueError("its port is not a number from 0 to 65535") from None
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.username
            or parts.query
            or parts.fragment
        ):
            raise ValueError("")
        return value.rstrip("/")

    @field_validator("public_url")
    @classmethod
    def _prefix(cls, value: str) -> str:
        """A path of ours is refused as the prefix: some proxies remove the prefix and others keep it, so `/api/...`
        could mean two things."""
        first = urlsplit(value).path.strip("/").partition("/")[0]
        if first in _OURS:
            raise ValueError(f"its path may not begin with /{first}, which is a path of this service")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError:
                raise ValueError(f"{network!r} is neither an address nor a network") from None
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value().strip()
        if url and not url.startswith(("postgresql://", "postgres://")):
            raise ValueError("")
        hosts = urlsplit(url).netloc.rpartition("@")[2].split(",")
        if not all(_HOST.fullmatch(host) for host in hosts):
            raise ValueError("a port of it is no number")  # else it would be waited for, as one that does not answer
        return SecretStr(url)

    @field_validator("run_token")
    @classmethod
    def _run_tokens(cls, value: SecretStr) -> SecretStr:
        for token in split(value.get_secret_value()):
            if not _TOKEN.fullmatch(token):
                raise ValueError("no header can hold one of them")
        return value

    @model_validator(mode="after")
    def _together(self) -> Settings:
        if self.trusted_user_header and not self.trusted_proxies:
            raise ValueError(
                "JOBTAIL_TRUSTED_USER_HEADER needs JOBTAIL_TRUSTED_PROXIES: the addresses that may send it"
            )
        if not self.access_token.get_secret_value() and not loopback(self.host):
            raise ValueError(
                f"JOBTAIL_HOST is {self.host!r}, which others can reach: set JOBTAIL_ACCESS_TOKEN, or use 127.0.0.1"
            )
        return self

    def run_tokens(self) -> tuple[str, ...]:
        """Newest first, each `name=token` or a token."""
        tokens: tuple[str, ...] = split(self.run_token.get_secret_value())
        return tokens

    def credentials(self) -> tuple[str, ...]:
        """Every secret that this service was given: blanked wherever text goes out. A setting may hold several."""
        secret = [value for name, value in self if isinstance(value, SecretStr) and name != "database_url"]
        held = [value.get_secret_value() for value in secret]
        held += [os.environ.get(name, "") for name in ("JOBTAIL_TOKEN", "JOBTAIL_RUN_TOKEN", "PGPASSWORD")]
        parts = [part.strip() for value in held for part in value.split(",")]
        parts += _passwords(self.database_url.get_secret_value())
        return tuple(dict.fromkeys(part for value in parts for part in (value, value.partition("=")[2]) if part))


def _passwords(url: str) -> list[str]:
    """The passwords in a database's address, as written there and decoded."""
    parts = urlsplit(url)
    given = [parts.password or "", *(value for name, value in parse_qsl(parts.query) if "password" in name)]
    return [form for value in given if value for form in (value, unquote(value))]


def loopback(host: str) -> bool:
    """True for names and addresses that only this machine reaches."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def load_settings(**flags: Any) -> Settings:
    """Flags, then the environment, then `.env`. SettingsError: one line naming variable, value and what it takes."""
    return _load({name: value for name, value in flags.items() if value is not None})


def load_settings_for_a_command(say: Callable[[str], None]) -> Settings:
    """The same for a command that is run: it must not fail because of a `.env` that may belong to another program. One
    that can't be used is left out, and `say` is told why. SettingsError for what the environment holds."""
    logging.getLogger("dotenv").setLevel(logging.ERROR)  # it would warn of lines that are meant for other programs
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # we report what matters of it ourselves, once
    try:
        if Path(".env").is_fifo():  # opening it waits for a writer, and so would the command
            raise SettingsError("it is a named pipe")
        return _load({})
    except SettingsError as error:
        settings = _load({"_env_file": None})
        say(f".env is left out: {error}")
        return settings


def _load(values: dict[str, Any]) -> Settings:
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError("; ".join(_one_line(problem) for problem in error.errors())) from None
    except UnicodeDecodeError:
        raise SettingsError(".env holds bytes that are not UTF-8: save it as UTF-8") from None
    except OSError as error:
        raise SettingsError(f".env can't be read: {error.strerror}") from None


def origins(settings: Settings) -> dict[str, tuple[str, str]]:
    """Each setting that is not at its default, by its variable: what it holds, secrets hidden, and where that came
    from."""
    found: dict[str, tuple[str, str]] = {}
    for name in settings.model_fields_set:
        variable, value = f"JOBTAIL_{name.upper()}", getattr(settings, name)
        shown = "***" if isinstance(value, SecretStr) else str(value)[:200]
        found[variable] = (shown, "environment" if variable in os.environ else ".env")
    return dict(sorted(found.items()))


SHOWN = 200  # characters of a wrong value
# What the commands that ask a service read, and a runner gives its command.
_OF_COMMANDS = ("JOBTAIL_URL", "JOBTAIL_TOKEN", "JOBTAIL_RUN_TO", "JOBTAIL_JOB_ID", "JOBTAIL_JOB_URL")


def variables() -> list[str]:
    return [f"JOBTAIL_{name.upper()}" for name in Settings.model_fields]


def misspelt() -> list[str]:
    """Variables in the environment or in `.env` that begin as ours do and are not known: misspelt ones."""
    found = {name for name in os.environ if name.startswith("JOBTAIL_")}
    if Path(".env").is_file():
        text = Path(".env").read_text(encoding="utf-8", errors="replace")
        found |= set(re.findall(r"^\s*(?:export\s+)?(JOBTAIL_\w+)\s*=", text, re.MULTILINE))
    return sorted(found - {*variables(), *_OF_COMMANDS})


_USER_IN_URL = re.compile(r"://[^@]*@")


def _one_line(problem: Any) -> str:
    """Which variable, what it holds, what of that is wrong where that can be said more closely, what would be right."""
    why = str(problem["msg"]).removeprefix("Value error, ") if problem["type"] == "value_error" else ""
    if not problem["loc"]:
        return why
    name = str(problem["loc"][0])
    variable = f"JOBTAIL_{name.upper()}"
    secret = any(word in variable for word in ("TOKEN", "KEY", "DATABASE"))
    held = "***" if secret else _USER_IN_URL.sub("://***@", _shown(problem.get("input")))
    takes = f"it takes {WORDS[name].takes}, such as {WORDS[name].example}"
    return f"{variable} holds {held}: {f'{why}; ' if why.strip() else ''}{takes}"


def _shown(value: Any) -> str:
    value = ",".join(map(str, value)) if isinstance(value, tuple) else value
    shown = repr(value)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"


def assets(kind: str) -> Path:
    """The folder of `templates` or `static`: beside the package in a checkout, inside it in a wheel."""
    inside = Path(__file__).parent / "_assets" / kind
    return inside if inside.is_dir() else Path(__file__).parent.parent / kind
