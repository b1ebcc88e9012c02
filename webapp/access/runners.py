"""What lets a program on another machine report a job: a run token begins jobs, and the grant that the beginning
answers with writes to that one job."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from .signer import Purpose, Signer

# A runner may be cut off for weeks and bring its lines afterwards.
GRANT_MS = 60 * 86_400_000
DIGEST = 12


@dataclass(frozen=True, slots=True)
class RunnerToken:
    """`name`: of its token, to show. `key`: names the token without giving it away; empty where there was none."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class FeedGrant:
    """What a grant is for. `producer`: as it is kept of the job (`producer_of`)."""

    job: str
    producer: str
    runner: RunnerToken


def key_of(token: str) -> str:
    return hashlib.sha256(b"jobtail.run\0" + token.encode("utf-8", "surrogateescape")).hexdigest()[:DIGEST]


def producer_of(runner: RunnerToken, producer_id: str) -> str:
    """Two tokens' producers of one id are two."""
    return f"{runner.key}.{producer_id}"


def producer_id(producer: str) -> str:
    """As the runner sends it."""
    return producer.partition(".")[2]


class Runners:
    """`tokens`: of JOBTAIL_RUN_TOKEN, each `name=token` or a token. `others`: tokens of owners, who may report jobs
    too."""

    def __init__(self, tokens: Iterable[str], others: Iterable[str], signer: Signer) -> None:
        self._tokens = [_named(token) for token in tokens]
        self._keys = {key_of(token) for _, token in self._tokens} | {key_of(token) for token in others if token} | {""}
        self._signer = signer

    def runner(self, given: bytes) -> RunnerToken | None:
        """Whose token it is. All are compared, in constant time."""
        digest = hashlib.sha256(given).digest()
        found = [
            RunnerToken(name, key_of(token))
            for name, token in self._tokens
            if hmac.compare_digest(digest, hashlib.sha256(token.encode()).digest())
        ]
        return found[0] if found else None

    def grant(self, feed: FeedGrant, now_ms: int) -> str:
        payload = [feed.job, feed.producer, feed.runner.name, feed.runner.key]
        return self._signer.sign(Purpose.GRANT, payload, now_ms + GRANT_MS)

    def feed(self, given: bytes, now_ms: int) -> FeedGrant | None:
        """None for what is not a grant of ours, has ended, or came by a token that is not in the settings any more."""
        signed = self._signer.read(Purpose.GRANT, given.decode("latin-1"))
        if signed is None or now_ms >= signed.ends_ms:
            return None
        job, producer, name, key = signed.payload
        return FeedGrant(job, producer, RunnerToken(name, key)) if key in self._keys else None


def _named(token: str) -> tuple[str, str]:
    name, equals, rest = token.partition("=")
    return (name.strip(), rest.strip()) if equals and rest.strip() else ("run token", token)
