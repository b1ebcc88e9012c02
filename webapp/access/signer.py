"""Signed text: links, cookies, short-lived addresses. A salt a purpose, SHA-256, keys that rotate."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from ..settings import Settings

log = logging.getLogger("jobtail.access")

MAX_TOKEN = 2048
WEAK_KEY = 16


class Purpose(StrEnum):
    SESSION = "session"
    LINK = "link"
    LINK_COOKIE = "link-cookie"
    CONFIG = "config"
    GRANT = "grant"


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed, whether or not it has ended."""

    payload: Any
    ends_ms: int


class Signer:
    """`keys`: newest first; the first signs, all are accepted. `access_token` is part of what signs sessions, so
    that a new token ends every session."""

    def __init__(self, keys: list[str], access_token: str = "") -> None:
        self._serializers = {
            purpose: URLSafeSerializer(
                list(reversed(keys)),  # itsdangerous wants the oldest first
                salt=f"jobtail.{purpose}.{access_token if purpose is Purpose.SESSION else ''}",
                signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
            )
            for purpose in Purpose
        }

    def sign(self, purpose: Purpose, payload: Any, ends_ms: int) -> str:
        """Text that is safe in an address. Anybody who holds it can read its payload."""
        signed = self._serializers[purpose].dumps([ends_ms, payload])
        return signed if isinstance(signed, str) else signed.decode()

    def read(self, purpose: Purpose, token: str) -> Signed | None:
        """None for what we did not sign for this purpose. The end is the caller's to compare."""
        if len(token) > MAX_TOKEN:
            return None
        try:
            ends_ms, payload = self._serializers[purpose].loads(token)
        except BadData:
            return None
        return Signed(payload, ends_ms)


def make_signer(settings: Settings, kept_key: Callable[[], str]) -> Signer:
    """From `JOBTAIL_SECRET_KEY`, else with the key that the store keeps."""
    given = [key.strip() for key in settings.secret_key.get_secret_value().split(",") if key.strip()]
    if any(len(key) < WEAK_KEY for key in given):
        log.warning(
            "JOBTAIL_SECRET_KEY holds a key of fewer than %d characters: a holder of one link can guess it", WEAK_KEY
        )
    keys = given or [kept_key()]
    return Signer(keys, settings.access_token.get_secret_value())
