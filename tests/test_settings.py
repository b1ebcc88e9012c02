"""Every setting is documented as it is, and a wrong one stops the start with one line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.served import environment, jobtail
from webapp.errors import SettingsError
from webapp.setting_words import WORDS
from webapp.settings import Settings, load_settings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs" / "settings.md"
ROWS = {
    name: (default, does)
    for name, default, does in re.findall(
        r"^\| `(JOBTAIL_[A-Z_]+)` \| (?:(?:`--[a-z-]+`|none) \| )?(.*?) \| (.*) \|$", DOCS.read_text(), re.MULTILINE
    )
}
NAMES = {f"JOBTAIL_{name.upper()}": field for name, field in Settings.model_fields.items()}


OF_CLIENTS = [
    "JOBTAIL_URL",
    "JOBTAIL_TOKEN",
    "JOBTAIL_RUN_TO",
]  # read by those who ask a service, in a table of their own


def test_every_setting_is_documented_and_nothing_else() -> None:
    assert list(ROWS) == [*NAMES, *OF_CLIENTS]


def test_the_documented_table_is_the_one_that_the_settings_give() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "settings.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", list(NAMES))
def test_its_example_is_one_that_it_takes(name: str, tmp_path: Path) -> None:
    field = name.removeprefix("JOBTAIL_").lower()
    given = {"data_dir": tmp_path, "trusted_proxies": "127.0.0.1", field: WORDS[field].example}
    settings = load_settings(**given)
    held = getattr(settings, field)
    assert held and len(WORDS[field].does) > 20, held


def test_the_help_lists_every_setting() -> None:
    said = jobtail("serve", "--help").stdout
    assert [name for name in NAMES if name not in said] == []


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"port": "x"}, "JOBTAIL_PORT"),
        ({"port": 70_000}, "JOBTAIL_PORT"),
        ({"refresh_seconds": 0}, "JOBTAIL_REFRESH_SECONDS"),
        ({"upstream_url": "www.fused.io"}, "JOBTAIL_UPSTREAM_URL"),
        ({"upstream_url": "https://ada:pass@up.example"}, "JOBTAIL_UPSTREAM_URL"),
        ({"public_url": "https://x/?a=b"}, "JOBTAIL_PUBLIC_URL"),
        ({"trusted_proxies": "10.0.0.0/99"}, "JOBTAIL_TRUSTED_PROXIES"),
        ({"trusted_proxies": "proxy.example"}, "JOBTAIL_TRUSTED_PROXIES"),
        ({"allowed_origins": "*"}, "JOBTAIL_ALLOWED_ORIGINS"),
        ({"allowed_origins": "https://dash.example/path"}, "JOBTAIL_ALLOWED_ORIGINS"),
        ({"allowed_origins": "dash.example"}, "JOBTAIL_ALLOWED_ORIGINS"),
        ({"trusted_user_header": "X User"}, "JOBTAIL_TRUSTED_USER_HEADER"),
        ({"trusted_user_header": "X-User"}, "JOBTAIL_TRUSTED_PROXIES"),
        ({"redact": "("}, "JOBTAIL_REDACT"),
        ({"upstream_token": "pass\nword"}, "JOBTAIL_UPSTREAM_TOKEN"),
        ({"upstream_token": "pässword"}, "JOBTAIL_UPSTREAM_TOKEN"),
        ({"upstream_url": "http://up.example:99999"}, "JOBTAIL_UPSTREAM_URL"),
        ({"retention_days": "inf"}, "JOBTAIL_RETENTION_DAYS"),
        ({"host": "0.0.0.0"}, "JOBTAIL_ACCESS_TOKEN"),
        ({"host": "0.0.0.0", "access_token": " \n"}, "JOBTAIL_ACCESS_TOKEN"),
        ({"host": "logs.example"}, "JOBTAIL_ACCESS_TOKEN"),
    ],
    ids=str,
)
def test_a_wrong_value_is_named(given: dict[str, Any], names: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(data_dir=tmp_path, **given)
    assert names in refused.value.detail and "\n" not in refused.value.detail and "pass" not in refused.value.detail


# A wrong value for each, where there can be one, and what of the sentence is said of this value alone.
WRONG = {
    "host": ("no such host", "JOBTAIL_ACCESS_TOKEN"),
    "port": ("80x", ""),
    "upstream_url": ("ftp://up.example", ""),
    "upstream_token": ("two words", "no header can hold that"),
    "upstream_auth_scheme": ("Bearer:", ""),
    "access_token": None,
    "metrics_token": None,
    "run_token": ("ci=tök", "no header can hold one of them"),
    "run_jobs_a_minute": ("0", ""),
    "run_lines_a_minute": ("many", ""),
    "run_bytes_a_minute": ("1 GiB", ""),
    "run_open_jobs": ("-1", ""),
    "trusted_user_header": ("X User", ""),
    "trusted_proxies": ("10.0.0.300", "neither an address nor a network"),
    "allowed_origins": ("*", "is not an origin"),
    "secret_key": None,
    "public_url": ("https://host.example/api", "/api"),
    "data_dir": ("~no-such-user/jobtail", "no such user"),
    "database_url": ("mysql://db.example/x", ""),
    "workers": ("0", ""),
    "log_format": ("xml", ""),
    "log_level": ("verbose", ""),
    "refresh_seconds": ("nan", ""),
    "late_window_seconds": ("ten", ""),
    "retention_days": ("-3", ""),
    "journal_max_bytes": ("10 GiB", ""),
    "disk_reserve_bytes": ("5%", ""),
    "max_viewers": ("0", ""),
    "max_viewers_per_job": ("1.5", ""),
    "max_line_bytes": ("", ""),
    "redact": ("(", "is no RE2 expression"),
}


def test_each_setting_stands_in_the_table() -> None:
    assert list(WRONG) == list(Settings.model_fields)


@pytest.mark.parametrize("field", [field for field, wrong in WRONG.items() if wrong])
def test_a_wrong_value_is_said_in_one_sentence_with_what_would_be_right(
    field: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    value, why = WRONG[field] or ("", "")
    monkeypatch.setenv("JOBTAIL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("JOBTAIL_TRUSTED_PROXIES", "127.0.0.1")
    monkeypatch.setenv(f"JOBTAIL_{field.upper()}", value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    said = refused.value.detail
    assert said.startswith(f"JOBTAIL_{field.upper()} ") and why in said and "\n" not in said
    if field != "host":
        assert said.endswith(f"it takes {WORDS[field].takes}, such as {WORDS[field].example}")
        assert value in said or isinstance(getattr(Settings.model_fields[field], "default", ""), SecretStr)


def test_a_long_wrong_value_is_cut(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(data_dir=tmp_path, port="9" * 100_000)
    assert len(refused.value.detail) < 400


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"host": "no-such-host.invalid", "access_token": "t"}, "JOBTAIL_HOST holds 'no-such-host.invalid': "),
        ({"host": "192.0.2.1", "access_token": "t"}, "192.0.2.1:"),
        ({"port": "1e3"}, "JOBTAIL_PORT holds '1e3': it takes a whole number from 0 to 65535, such as 8484"),
        ({"database_url": "postgresql://127.0.0.1:port/x"}, "JOBTAIL_DATABASE_URL"),
    ],
    ids=str,
)
def test_what_only_the_start_can_find_is_one_sentence_too(
    settings: dict[str, object], says: str, tmp_path: Path
) -> None:
    refused = jobtail("serve", settings={"data_dir": tmp_path, "port": 0} | settings, cwd=tmp_path)
    assert refused.returncode == 2 and says in refused.stderr, refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_an_env_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"JOBTAIL_PORT=8080\xff\n")
    refused = jobtail("serve", "--port", "0", settings={"data_dir": tmp_path / "data"}, cwd=tmp_path)
    assert refused.returncode == 2 and ".env holds bytes that are not UTF-8" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def as_another(*arguments: str, settings: dict[str, object], cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command whose user is not the owner of what has another one: root without the right to everything."""
    setpriv = shutil.which("setpriv")
    if setpriv is None or os.getuid() != 0:
        pytest.skip("only root can act as two users, with setpriv of util-linux")
    less = [setpriv, "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown", "--inh-caps=-all"]
    command = [*less, sys.executable, "-m", "webapp", *arguments]
    return subprocess.run(command, env=environment(settings), cwd=cwd, capture_output=True, text=True, timeout=60)


def test_an_env_file_of_another_user_is_said(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("JOBTAIL_PORT=0\n")
    (tmp_path / ".env").chmod(0o600)
    os.chown(tmp_path / ".env", 65534, 65534)
    refused = as_another("serve", settings={"data_dir": tmp_path / "data"}, cwd=tmp_path)
    assert refused.returncode == 2 and ".env can't be read: Permission denied" in refused.stderr, refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("what", ["", "jobtail.sqlite3", "jobs"])
def test_a_data_folder_of_another_user_is_said_with_what_helps(what: str, tmp_path: Path) -> None:
    """As after a restore by root: the service's user may not write what root has unpacked."""
    where: dict[str, object] = {"data_dir": tmp_path / "data", "port": 0}
    jobtail("run", "--", "echo", "one", settings=where)
    os.chown(tmp_path / "data" / what, 65534, 65534)
    (tmp_path / "data" / what).chmod(0o700)
    refused = as_another("serve", settings=where, cwd=tmp_path)
    assert refused.returncode == 2 and "JOBTAIL_DATA_DIR holds" in refused.stderr, refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    looked = as_another("doctor", settings=where, cwd=tmp_path)
    assert looked.returncode == 1 and f"chown -R root {tmp_path / 'data'}" in looked.stdout, looked.stdout


def test_misspelt_variables_are_found_by_doctor(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("JOBTAIL_RETENTION_DAY=3\n")
    looked = jobtail("doctor", settings={"data_dir": tmp_path / "data", "acess_token": "x"}, cwd=tmp_path)
    assert "JOBTAIL_ACESS_TOKEN: there is no such setting" in looked.stdout
    assert "JOBTAIL_ACCESS_TOKEN?" in looked.stdout and "JOBTAIL_RETENTION_DAYS?" in looked.stdout


def test_an_empty_data_folder_is_the_default_and_a_tilde_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("JOBTAIL_DATA_DIR", "")
    assert load_settings(_env_file=None).data_dir.is_relative_to("/home/ada")
    monkeypatch.setenv("JOBTAIL_DATA_DIR", "~/logs")
    assert load_settings(_env_file=None).data_dir == Path("/home/ada/logs")


def test_a_data_folder_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = jobtail("serve", "--port", "0", "--data-dir", str(tmp_path / "file"))
    assert refused.returncode == 2
    assert "JOBTAIL_DATA_DIR holds" in refused.stderr and len(refused.stderr.splitlines()) == 1


def test_blanks_around_a_secret_are_none_of_it(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, access_token=" sesame\n")
    assert settings.access_token.get_secret_value() == "sesame"
