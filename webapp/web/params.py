"""The parameters of a route's query are one model: values, errors and OpenAPI's parameters all come from it.

Where a parameter stands twice, the last one counts. An empty value counts as none.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, ValidationError
from starlette.datastructures import QueryParams

from ..errors import UsageError

Json = dict[str, Any]

# Python's own readers take more: `1_0`, ` 5`, digits of other scripts.
_WHOLE = re.compile(r"-?[0-9]{1,20}")
_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_FLAGS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(("false", "0", "no", "off"), False)
# pydantic gives the bounds of an optional number by its own names.
_BOUNDS = {"ge": "minimum", "le": "maximum"}


# At most so many unknown names of a query are looked at.
MAX_NAMES = 10


class Query(BaseModel):
    model_config = ConfigDict(frozen=True)


Q = TypeVar("Q", bound=Query)


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError
    return int(text)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError
    return float(text)


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise ValueError
    return _FLAGS[text.lower()]


Whole = Annotated[int, BeforeValidator(_whole)]
Number = Annotated[float, BeforeValidator(_number)]
Flag = Annotated[bool, BeforeValidator(_flag)]


def read(model: type[Q], given: QueryParams) -> Q:
    """UsageError names the first parameter that is wrong, what it held and what it takes."""
    try:
        return model.model_validate({name: value for name, value in given.items() if value})
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
    name, value = str(wrong["loc"][0]), given[str(wrong["loc"][0])]
    if wrong["type"] == "string_too_long":
        raise UsageError(f"{name} is {len(value)} characters long: it takes {wrong['ctx']['max_length']} at most")
    takes = str(wrong.get("ctx", {}).get("error", "")) or _takes(parameters(model)[name])
    raise UsageError(f"{name}={value[:100]!r} is not right: it takes {takes}")


def _takes(schema: Json) -> str:
    if "enum" in schema:
        return " or ".join(schema["enum"])
    if schema["type"] == "boolean":
        return "true or false"
    kind = "a whole number" if schema["type"] == "integer" else "a number"
    return f"{kind} from {schema['minimum']} to {schema['maximum']}"


@cache
def parameters(model: type[Query]) -> dict[str, Json]:
    """The JSON Schema of each parameter by its name in the query."""
    found: dict[str, Json] = {}
    for name, schema in model.model_json_schema().get("properties", {}).items():
        whole = schema | schema.pop("anyOf", [{}])[0]  # the other one is null, which a query can't say
        kept = {_BOUNDS.get(key, key): value for key, value in whole.items() if key not in ("anyOf", "title")}
        found[name] = {
            key: value for key, value in kept.items() if (key, value) not in (("default", None), ("default", ""))
        }
    return found


def described(model: type[Query]) -> list[Json]:
    """The parameters for OpenAPI."""
    return [
        {"name": name, "in": "query", "required": False, "schema": schema, "description": schema.get("description", "")}
        for name, schema in parameters(model).items()
    ]


def unknown(model: type[Query], given: QueryParams) -> list[str]:
    """The names in a query that the route does not know, which it ignores: caches and proxies add some. UsageError
    where one looks like a mistyped name that it knows: a filter that does nothing is worse than an error."""
    known = parameters(model)
    names = [name for name in given if name not in _spellings(model)]
    for name in names[:MAX_NAMES]:
        if near := _near(name, known):
            raise UsageError(f"{name[:40]!r} is not a parameter of this route: do you mean {near}?")
    return [quote(name[:40], safe="") for name in names[:MAX_NAMES] if name]


@cache
def _spellings(model: type[Query]) -> set[str]:
    """Every name that the model reads, those included that other programs give to one of its parameters."""
    found = set(parameters(model))
    for field in model.model_fields.values():
        if isinstance(field.validation_alias, AliasChoices):
            found.update(name for name in field.validation_alias.choices if isinstance(name, str))
    return found


def _near(name: str, known: dict[str, Json]) -> str | None:
    """Names of three letters and fewer, and those that are much longer, do not count as mistyped."""
    plain = {_plain(other): other for other in known}
    asked = _plain(name)
    alike = [other for other in plain if min(len(other), len(asked)) > 3 and abs(len(other) - len(asked)) <= 2]
    found = get_close_matches(asked[:40], alike, 1, 0.8)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    return re.sub("[-_.]", "", name).lower()
