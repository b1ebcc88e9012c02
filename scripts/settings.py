"""Writes the table of `docs/settings.md` from `webapp/settings.py` and `webapp/setting_words.py`. With `--check` it
writes nothing, and fails where the table is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from pydantic.fields import FieldInfo

from webapp.cli.serve import FLAGS
from webapp.setting_words import WORDS
from webapp.settings import Settings

DOCUMENT = Path(__file__).parent.parent / "docs" / "settings.md"
BEGIN, END = "<!-- scripts/settings.py writes this table -->\n", "<!-- end of the table -->\n"
# Where a default is no value that one could give.
INSTEAD = {
    "secret_key": "made once",
    "public_url": "from the request",
    "data_dir": "the platform's data folder",
    "redact": "common credentials",
}


def default(name: str, field: FieldInfo) -> str:
    if name in INSTEAD:
        return INSTEAD[name]
    value = field.default
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{value}`" if isinstance(value, int) or (isinstance(value, str) and value) else "empty"


def table() -> str:
    rows = ["| variable | flag | default | takes, for example | what it does |", "| --- | --- | --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        words = WORDS[name]
        flag = f"`--{name.replace('_', '-')}`" if name in FLAGS else "none"
        takes = f"{words.takes}: `{words.example}`"
        rows.append(f"| `JOBTAIL_{name.upper()}` | {flag} | {default(name, field)} | {takes} | {words.does} |")
    return "\n".join(rows) + "\n"


def current() -> str:
    """The document as it should be."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


def main() -> int:
    if "--check" not in sys.argv[1:]:
        DOCUMENT.write_text(current(), encoding="utf-8")
    elif DOCUMENT.read_text(encoding="utf-8") != current():
        print("docs/settings.md is out of date: run python scripts/settings.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
