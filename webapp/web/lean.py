"""Our modules and style sheets as they are sent: without comments and indentation, which are for people."""

from __future__ import annotations

import re

# Comments that have lines of their own; one beside code stays, since telling it from a text takes a parser.
_COMMENTS = re.compile(r"^[ \t]*(?://[^\n]*|/\*\*.*?\*/[ \t]*)\n", re.MULTILINE | re.DOTALL)
_STYLE_COMMENTS = re.compile(r" ?/\*.*?\*/", re.DOTALL)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)


def lean(module: str) -> str:
    """The same JavaScript, for one whose template literals hold no line break, as ours do not."""
    return _INDENT.sub("", _COMMENTS.sub("", module))


def lean_style(sheet: str) -> str:
    """The same CSS, for one that has no comment within a string."""
    return _INDENT.sub("", _STYLE_COMMENTS.sub("", sheet)).replace("; }", "}").replace(" { ", "{").replace("\n\n", "\n")
