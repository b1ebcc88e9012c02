"""Every setting is documented as it is, and a wrong one stops the start with one line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.served import jobtail
from webapp.errors import SettingsError
from webapp.settings import Settings, load_settings

DOCS = Path(__file__).parent.parent / "docs" / "settings.md"
ROWS = {
    name: (default, does)
    for name, default, does in re.findall(
        r"^\| `(JOBTAIL_[A-Z_]+)` \| (.*?) \| (.*) \|$", DOCS.read_text(), re.MULTILINE
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


@pytest.mark.parametrize("name", list(NAMES))
def test_its_default_is_the_documented_one(name: str) -> None:
    said, does = ROWS[name]
    default = NAMES[name].default
    assert len(does) > 20
    if isinstance(default, bool | int | float) or (isinstance(default, str) and default):
        assert said == f"`{default:g}`" if isinstance(default, float) else said == f"`{default}`"
    elif name not in ("JOBTAIL_REDACT", "JOBTAIL_DATA_DIR", "JOBTAIL_SECRET_KEY", "JOBTAIL_PUBLIC_URL"):
        assert said == "empty"


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


def test_a_data_folder_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = jobtail("serve", "--port", "0", "--data-dir", str(tmp_path / "file"))
    assert refused.returncode == 2
    assert "JOBTAIL_DATA_DIR holds" in refused.stderr and len(refused.stderr.splitlines()) == 1


def test_blanks_around_a_secret_are_none_of_it(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, access_token=" sesame\n")
    assert settings.access_token.get_secret_value() == "sesame"
