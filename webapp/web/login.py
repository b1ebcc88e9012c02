"""Signing in with the access token, and out again."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ..access.cookies import SESSION_COOKIE, SESSION_SECONDS, drop_cookie, set_cookie
from ..access.grant import Action, Grant
from ..access.headers import PRIVATE_HEADERS
from ..access.peer import group
from ..access.shares import new_id, now_ms
from ..access.signer import Purpose
from ..errors import TooManyTries, UsageError
from ..service import Service
from ..threads import RECORDS
from .address import local
from .render import render
from .route import guarded

_OWN_PATH = re.compile(r"/(?![/\\])[\x21-\x7e]{0,500}")


def own_path(text: str) -> str:
    """A path of ours to go on to; the front page for anything that could lead elsewhere."""
    return text if _OWN_PATH.fullmatch(text) and "\\" not in text else "/"


async def login_page(request: Request, service: Service, grant: Grant) -> Response:
    onward = own_path(request.query_params.get("next", "/"))
    if (await RECORDS.run(service.access.caller, request, None)).owner is not None:
        return RedirectResponse(local(request, onward), 303, PRIVATE_HEADERS)
    return form(request, onward)


def form(
    request: Request, onward: str, error: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return render(request, "login.html", status=status, headers=headers, error=error, next=onward)


async def sign_in(request: Request, service: Service, grant: Grant) -> Response:
    access = service.access
    fields = await form_fields(request)
    onward = own_path(fields.get("next", "/"))
    if not access.needs_token:
        return RedirectResponse(local(request, onward), 303, PRIVATE_HEADERS)
    address = group(access.address(request))
    await service.shared_tries.current("sign-in", address)
    try:
        access.sign_ins.check(address)
    except TooManyTries as error:
        return form(request, onward, error.detail, error.status, {"Retry-After": str(error.retry_after)})
    if not access.right_token(fields.get("token", "").strip()):
        access.sign_ins.failed(address)
        await service.shared_tries.current("sign-in", address)
        return form(request, onward, "That is not the access token.", 401)
    access.sign_ins.succeeded(address)
    ends_ms = now_ms() + SESSION_SECONDS * 1000
    response = RedirectResponse(local(request, onward), 303, PRIVATE_HEADERS)
    cookie = access.signer.sign(Purpose.SESSION, new_id(), ends_ms)
    set_cookie(request, response, SESSION_COOKIE, cookie, SESSION_SECONDS)
    return response


async def form_fields(request: Request) -> dict[str, str]:
    """A plain HTML form's fields; the last of each name."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise UsageError(f"a form is sent as application/x-www-form-urlencoded, not as {kind[:100]!r}")
    try:
        body = (await request.body()).decode("utf-8", "replace")
        return {name: values[-1] for name, values in parse_qs(body, max_num_fields=20).items()}
    except ValueError:
        raise UsageError("that form has too many fields") from None


async def sign_out(request: Request, service: Service, grant: Grant) -> Response:
    """Ends the sign-in for this cookie and for all copies of it."""
    caller = await RECORDS.run(service.access.caller, request, None)
    if caller.session is not None and caller.ends_ms is not None:
        await RECORDS.run(service.shares.end_session, caller.session, caller.ends_ms)
    response = RedirectResponse(local(request, "/login"), 303, PRIVATE_HEADERS)
    drop_cookie(request, response, SESSION_COOKIE)
    return response


routes = [
    guarded("/login", login_page, Action.OPEN),
    guarded("/login", sign_in, Action.OPEN, ("POST",)),
    guarded("/logout", sign_out, Action.OPEN, ("POST",)),
]
