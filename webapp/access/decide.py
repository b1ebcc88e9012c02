"""The one function that decides who may do what. Every route asks it, by way of `guarded`."""

from __future__ import annotations

import hashlib
import hmac
import logging
from dataclasses import dataclass
from typing import Any

from starlette.requests import HTTPConnection

from ..errors import Denied, SignInNeeded
from ..settings import Settings
from ..store.share import Link
from ..threads import RECORDS
from .cookies import SESSION_COOKIE, link_cookie
from .grant import Action, Grant
from .local import check_local
from .peer import Proxies, group, header, peer
from .runners import FeedGrant, Runners, RunnerToken, key_of
from .scans import Scans
from .seats import READS_PER_ADDRESS, READS_PER_LINK, SEARCHERS_PER_ADDRESS, SEARCHERS_PER_LINK, Seats
from .shares import Shares, now_ms
from .signer import Purpose, Signer
from .tries import Tries

__all__ = ["Access", "Action", "Caller", "Grant", "decide"]

log = logging.getLogger("jobtail.access")

# What the holder of a link may do with the job of that link.
_SHARED = frozenset({Action.OPEN, Action.VIEW, Action.VIEW_PART})
# What a grant allows, for its own job.
_REPORTED = frozenset({Action.BEGIN, Action.FEED})
MAX_USER = 256


@dataclass(frozen=True, slots=True)
class Caller:
    """What a request has proved. `owner`: the name to record; `link`: one that works, of whatever job; `metrics`: the
    token that reads `/metrics` and nothing else; `runner`: a token that reports jobs; `feed`: a grant for one of them.
    """

    owner: str | None = None
    session: str | None = None
    ends_ms: int | None = None
    link: Link | None = None
    metrics: bool = False
    runner: RunnerToken | None = None
    feed: FeedGrant | None = None


def decide(caller: Caller, action: Action, job: str | None) -> Grant:
    """Denied where a link does not reach; SignInNeeded for everybody else, the same whether the job exists or not."""
    feed, runner = caller.feed, caller.runner
    if feed is not None and feed.job == job and action in _REPORTED:
        return Grant("runner", feed.runner.name, token=feed.runner.key, producer=feed.producer)
    if caller.owner is not None:
        token = runner.key if runner else ""
        return Grant(
            "owner", caller.owner, can_cancel=True, ends_ms=caller.ends_ms, session=caller.session, token=token
        )
    if runner is not None and action is Action.BEGIN:
        return Grant("runner", runner.name, token=runner.key)
    if caller.metrics and action is Action.METRICS:
        return Grant("metrics")
    link = caller.link
    if link is not None and job is not None and link.job == job:
        if not _within(link, action):
            raise Denied("the link that you were given does not allow that: ask the person who sent it, or sign in")
        return Grant("share", f"link {link.id}", link.id, link.lines, link.can_cancel, link.ends_ms)
    if action is Action.OPEN:
        return Grant("anybody")
    if feed is not None or runner is not None:
        raise Denied("that token begins jobs, and its grants write to these jobs: nothing else")
    raise SignInNeeded("sign in with the access token, or open the link that you were sent")


def _within(link: Link, action: Action) -> bool:
    if action is Action.CANCEL:
        return link.can_cancel
    if action is Action.VIEW and link.lines is not None:
        return False
    return action in _SHARED


class Access:
    """Finds out what a request proves, and asks `decide`."""

    def __init__(self, settings: Settings, shares: Shares, signer: Signer) -> None:
        self.shares = shares
        self.signer = signer
        self.seats = Seats()
        self.reads = Seats(READS_PER_ADDRESS, READS_PER_LINK, "read")
        self.searchers = Seats(SEARCHERS_PER_ADDRESS, SEARCHERS_PER_LINK, "follow a search")
        self.scans = Scans()
        self.sign_ins = Tries(10, generous=False)
        self.tokens = Tries(100)
        self._token = settings.access_token.get_secret_value()
        self._metrics_token = settings.metrics_token.get_secret_value()
        self.runners = Runners(settings.run_tokens(), [self._token], signer)
        self._user_header = settings.trusted_user_header.lower().encode()
        self._proxies = Proxies(settings.trusted_proxies)

    @property
    def needs_token(self) -> bool:
        return bool(self._token)

    def decide(self, request: HTTPConnection, action: Action, job: str | None) -> Grant:
        """Denied, SignInNeeded or TooManyTries where the caller may not."""
        if not self._token:
            check_local(request.scope)
            return decide(self.caller(request, job), action, job)
        if action is Action.OPEN and job is None:
            return decide(Caller(), action, job)
        return decide(self.caller(request, job), action, job)

    async def ask(self, request: HTTPConnection, action: Action, job: str | None) -> Grant:
        """`decide`, in a thread where the store has to be asked."""
        names = request.cookies if self._token else {}
        if SESSION_COOKIE in names or (job is not None and link_cookie(job) in names):
            return await RECORDS.run(self.decide, request, action, job)
        return self.decide(request, action, job)

    def caller(self, request: HTTPConnection, job: str | None) -> Caller:
        """Who asks: by the token, the proxy's header, a sign-in, or a link of this job."""
        feed = self._feed(request.scope)
        if not self._token:
            return Caller(self._named(request.scope) or "this machine", feed=feed)
        if feed is not None:
            return Caller(feed=feed)
        if self._bears_metrics_token(request.scope):
            return Caller(metrics=True)
        by_token = self._by_token(request.scope)
        if by_token is not None:
            return by_token
        named = self._named(request.scope)
        if named is not None:
            return Caller(named)
        return self._signed_in(request) or Caller(link=self._link(request, job))

    def address(self, request: HTTPConnection) -> str:
        """From where, as the socket or a configured proxy says."""
        return self._proxies.address(request.scope)

    def trusts(self, request: HTTPConnection) -> bool:
        """Whether the connection comes from a configured proxy."""
        return self._proxies.hold(peer(request.scope))

    def right_token(self, given: str) -> bool:
        return self._equal(given.encode("utf-8", "surrogateescape"))

    def ended(self, grant: Grant) -> bool:
        """Whether what was granted is over: asked once a second by every stream, so it never waits."""
        if grant.ends_ms is not None and now_ms() >= grant.ends_ms:
            return True
        if grant.share is not None:
            return self.shares.last_revoked(grant.share)
        return grant.session is not None and self.shares.last_ended(grant.session)

    def link_of(self, token: str) -> tuple[Link, bool] | None:
        """The link in the address of `/s/{token}` and whether it works; None when we did not sign it."""
        return self._read_link(Purpose.LINK, token)

    def _read_link(self, purpose: Purpose, token: str) -> tuple[Link, bool] | None:
        signed = self.signer.read(purpose, token)
        if signed is None:
            return None
        link = Link.from_payload(signed.payload, signed.ends_ms)
        return link, now_ms() < link.ends_ms and not self.shares.revoked(link.id)

    def _link(self, request: HTTPConnection, job: str | None) -> Link | None:
        value = None if job is None else request.cookies.get(link_cookie(job))
        found = self._read_link(Purpose.LINK_COOKIE, value) if value else None
        return found[0] if found and found[1] else None

    def _bears_metrics_token(self, scope: Any) -> bool:
        given = _credentials(scope)
        return bool(given and self._metrics_token) and _same(given, self._metrics_token)

    def _feed(self, scope: Any) -> FeedGrant | None:
        given = _credentials(scope)
        return self.runners.feed(given, now_ms()) if given else None

    def _by_token(self, scope: Any) -> Caller | None:
        given = _credentials(scope)
        if not given:
            return None
        address = group(self._proxies.address(scope))
        self.tokens.check(address)
        found = None
        if self._equal(given):
            found = Caller("the access token", runner=RunnerToken("", key_of(self._token)))
        elif runner := self.runners.runner(given):
            found = Caller(runner=runner)
        if found is None:
            self.tokens.failed(address)
        else:
            self.tokens.succeeded(address)
        return found

    def _equal(self, given: bytes) -> bool:
        return _same(given, self._token)

    def _named(self, scope: Any) -> str | None:
        """The user whom a configured proxy names. The header is ignored when anybody else sends it."""
        if not self._user_header or not self._proxies.hold(peer(scope)):
            return None
        values = [value for key, value in scope["headers"] if key == self._user_header]
        if len(values) != 1:
            return None
        name = values[0].decode("utf-8", "replace").strip()
        return name if name and len(name) <= MAX_USER and name.isprintable() else None

    def _signed_in(self, request: HTTPConnection) -> Caller | None:
        value = request.cookies.get(SESSION_COOKIE)
        signed = self.signer.read(Purpose.SESSION, value) if value else None
        if signed is None or now_ms() >= signed.ends_ms or self.shares.session_ended(signed.payload):
            return None
        return Caller("signed in", signed.payload, signed.ends_ms)


def _credentials(scope: Any) -> bytes:
    """Of the `Authorization` header, whatever its scheme."""
    value = header(scope, b"authorization")
    return (value or b"").strip().partition(b" ")[2].strip()


def _same(given: bytes, wanted: str) -> bool:
    """In constant time, whatever the lengths."""
    want = hashlib.sha256(wanted.encode("utf-8", "surrogateescape")).digest()
    return hmac.compare_digest(hashlib.sha256(given).digest(), want)
