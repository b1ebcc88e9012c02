"""The socket that is listened on: made here, or handed over by systemd (socket activation)."""

from __future__ import annotations

import os
import socket

from ..errors import SettingsError
from .sockets import keep_asking

# Bounds what waits in the kernel for a viewer that reads nothing; otherwise that would be megabytes.
UNSENT_BYTES = 64 << 10
BACKLOG = 2048
_FIRST_GIVEN = 3  # sd_listen_fds(3)


def listen(host: str, port: int) -> socket.socket:
    """SettingsError, in one sentence, where that can't be."""
    listening = _given() or _bound(host, port)
    if listening.family in (socket.AF_INET, socket.AF_INET6):
        keep_asking(listening)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    return listening


def _given() -> socket.socket | None:
    """The socket that systemd, or a program with the same protocol, has opened for us. It stays open while we are
    restarted, so that no connection is refused. The variables are removed, since they are meant for this process."""
    if os.environ.pop("LISTEN_PID", "") != str(os.getpid()):
        return None
    count = os.environ.pop("LISTEN_FDS", "0")
    os.environ.pop("LISTEN_FDNAMES", None)
    if count == "0":
        return None
    if count != "1":
        raise SettingsError(f"LISTEN_FDS holds {count!r}: jobtail serves on one socket")
    try:
        listening = socket.socket(fileno=_FIRST_GIVEN)
        listening.getsockname()
    except OSError as error:
        raise SettingsError(f"LISTEN_FDS names something that is not a socket: {error.strerror}") from None
    os.set_inheritable(_FIRST_GIVEN, False)
    return listening


def _bound(host: str, port: int) -> socket.socket:
    bare = host.strip("[]")
    try:
        family, _, _, _, address = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise SettingsError(f"JOBTAIL_HOST holds {host!r}: {error.strerror or error}") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise SettingsError(f"{bare}:{port} can't be listened on: {error.strerror}; choose another --port") from None
    return listening
