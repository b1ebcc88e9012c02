"""What the reference of the published objects says, read from its Markdown: classes, methods, parameters, fields.

`reference.json` is the same, kept here, since the Markdown is not part of this project.
Run as a program with the Markdown's path, it writes `reference.json`.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def parse(markdown: str) -> dict[str, Any]:
    """{class: {"methods": {name: {"classmethod", "parameters": [[name, default]], "raises"}}, "fields": [...]}}."""
    classes: dict[str, Any] = {}
    current: dict[str, Any] = {}
    for section in re.split(r"^## ", markdown, flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        title = title.replace("\\", "").strip()
        code = _CODE.search(body)
        if title.endswith(" Objects"):
            current = classes[title.removesuffix(" Objects")] = {"methods": {}, "fields": []}
        elif code is None:
            current["fields"].append(title)
        else:
            current["methods"][title] = signature(code[1])
            raises = re.findall(r"^- `(\w+)` - if ", body.partition("**Raises**")[2], re.MULTILINE)
            current["methods"][title]["raises"] = raises
    return classes


def signature(code: str) -> dict[str, Any]:
    function = ast.parse(code.strip() + ":\n    pass" if not code.strip().endswith(":") else code).body[0]
    assert isinstance(function, ast.FunctionDef)
    arguments = function.args.args
    defaults = [None] * (len(arguments) - len(function.args.defaults)) + [
        ast.unparse(d) for d in function.args.defaults
    ]
    return {
        "classmethod": any(ast.unparse(decorator) == "classmethod" for decorator in function.decorator_list),
        "parameters": [
            [a.arg, default] for a, default in zip(arguments, defaults, strict=True) if a.arg not in ("self", "cls")
        ],
    }


if __name__ == "__main__":
    found = parse(Path(sys.argv[1]).read_text())
    (HERE / "reference.json").write_text(json.dumps(found, indent=2) + "\n")
