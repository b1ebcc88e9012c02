"""Connections whose other end is gone, told from those whose reader merely pauses.

`TCP_USER_TIMEOUT` can't tell them apart: it also counts the time for which a living reader's window is closed, so that
`curl ... | less` was cut off after a pause. The kernel's own counts can: a living peer acknowledges what it is sent and
each probe of its closed window, and both counts start again from zero with every acknowledgement.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterable
from typing import Any

# How long nothing may have been acknowledged, in ms, though something was sent again or asked for again.
DEAD_MS = 8_000
# A window that has been closed for long is probed every two minutes: one probe may be on its way.
PROBES = 3
# A connection that has nothing to say is asked after so many seconds, and then this often.
IDLE_SECONDS, ASK_SECONDS, ASKED = 30, 10, 3
# struct tcp_info of Linux: retransmits and probes are its bytes 2 and 3, the age of the last acknowledgement in ms is
# the 13th of the 32-bit fields that begin at byte 8.
_ACK_AT, _INFO_BYTES = 8 + 12 * 4, 104


def keep_asking(listening: socket.socket) -> None:
    """Connections without traffic end when nobody is there any more. Taken over by all that are accepted."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", IDLE_SECONDS), ("TCP_KEEPINTVL", ASK_SECONDS), ("TCP_KEEPCNT", ASKED)):
        if hasattr(socket, name):
            listening.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def dead(info: bytes) -> bool:
    """Whether the kernel's counts say that nobody is at the other end."""
    if len(info) < _ACK_AT + 4:
        return False
    retransmits, probes = info[2], info[3]
    (silent_ms,) = struct.unpack_from("=I", info, _ACK_AT)
    return bool(silent_ms >= DEAD_MS and (retransmits > 0 or probes >= PROBES))


def end_dead(connections: Iterable[Any]) -> None:
    """Cuts those of uvicorn's connections that have nobody at their other end. Some microseconds each."""
    if not hasattr(socket, "TCP_INFO"):
        return
    for connection in list(connections):
        found = connection.transport.get_extra_info("socket")
        if found is None or found.family not in (socket.AF_INET, socket.AF_INET6):
            continue
        with contextlib.suppress(OSError):
            if dead(found.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)):
                connection.transport.abort()
