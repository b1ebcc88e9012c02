"""The process that serves: its socket, its signals, what it says when it starts, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import resource
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import uvicorn

from ..access.seats import FEWEST_DESCRIPTORS, connections, descriptors
from ..engine import link
from ..errors import JournalError, OutcomeUnknown, SettingsError, StoreDown
from ..journal.redact import Redactor
from ..settings import Settings
from ..store.open import open_store
from ..stream.detached import detachable
from .listening import BACKLOG, listen
from .own_log import configure
from .protocol import bounded
from .sockets import end_dead
from .workers import Workers

log = logging.getLogger("jobtail.web")
T = TypeVar("T")

SHUTDOWN_SECONDS = 3
# How long those who were told that the service goes down may take to read it. Then their connections are cut, which
# ends their tasks in order, before uvicorn would cancel them with a traceback each.
FAREWELL_SECONDS = 1.5
AT_ONCE_SECONDS = 1.0
# What hangs by then, on a disk or a network, is left: all that is kept survives a crash too.
END_SECONDS = 9.0
TICKS_BETWEEN_LOOKS = 50  # of uvicorn's, which are a tenth of a second each


class Server(uvicorn.Server):
    """`started`: called once requests are answered. The app's `state.stopping`, where it has one, is called
    before anything is closed, so that every viewer can be told."""

    def __init__(self, config: uvicorn.Config, app: Any, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._on_start = started
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if not self.should_exit:
            settle_memory()
            self._on_start()

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_BETWEEN_LOOKS == 0:
            end_dead(self.server_state.connections)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        stopping = getattr(self._app.state, "stopping", None)
        if stopping is not None:
            stopping()
        cut = asyncio.get_running_loop().call_later(FAREWELL_SECONDS, self._cut_all)
        try:
            await super().shutdown(sockets)
            if self.force_exit:  # uvicorn would leave the application as it is, and say so with a traceback
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.lifespan.shutdown(), AT_ONCE_SECONDS)
        finally:
            cut.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The second signal, whichever it is, ends at once."""
        if not self.should_exit:
            ending = threading.Timer(END_SECONDS, _end)
            ending.daemon = True
            ending.start()
        else:
            self.force_exit = True
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._cut_all)
        super().handle_exit(sig, frame)

    def _cut_all(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _end() -> None:
    log.warning("something still hangs %g s after the signal: ending without it", END_SECONDS)
    os._exit(0)


def run(settings: Settings) -> int:
    """Serves until SIGTERM or Ctrl-C. SettingsError where the address is taken or can't be listened on, or where
    too few files may be open, JournalError where the data folder can't be written."""
    configure(settings)
    more_files()
    try:
        empty = waited(lambda: is_empty(settings))
    except JournalError as error:
        if settings.database_url.get_secret_value():
            raise SettingsError(f"JOBTAIL_DATABASE_URL names a database that can't be used: {error.detail}") from None
        raise SettingsError(
            f"JOBTAIL_DATA_DIR holds {str(settings.data_dir)!r}, which has to be a folder that can be"
            f" written: {error.detail}"
        ) from None
    listening = listen(settings.host, settings.port)

    from . import app, render  # loaded before the workers begin, which then share it

    del app
    render.load()

    def greeting() -> None:
        greet(settings, listening.getsockname()[1], empty)

    with contextlib.closing(listening), tempfile.TemporaryDirectory(prefix="jobtail-") as folder:
        if settings.workers == 1:
            return serve(settings, listening, greeting)

        def work(number: int, ready: Callable[[], None]) -> int:
            return serve(settings, listening, ready, (Path(folder), number))

        return Workers(settings.workers, work, greeting).run()


def serve(
    settings: Settings,
    listening: socket.socket,
    started: Callable[[], None],
    worker: tuple[Path, int] | None = None,
) -> int:
    """Answers on that socket until this process is told to stop. `started`: called once it does. `worker`: a folder
    that it shares with others of its kind, and its number among them."""
    from .app import create_app
    from .metrics import Snapshots

    app = waited(lambda: create_app(settings, Snapshots(*worker) if worker else None))
    config = uvicorn.Config(
        detachable(app),
        loop="auto",
        http=bounded(connections(), descriptors()),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    server = Server(config, app, started)
    with ends_quietly():
        server.run(sockets=[listening])
    return 0 if server.started else 1


def waited(look: Callable[[], T]) -> T:
    """What `look` gives, once the database answers: a service may start before its database does, or while that
    restarts. Whether a write of the start was kept does not matter: it is made again."""
    said = False
    while True:
        try:
            return look()
        except (StoreDown, OutcomeUnknown) as error:
            if not said:
                log.warning("%s: waiting for it", error.detail)
            said = True
            time.sleep(1)


def is_empty(settings: Settings) -> bool:
    """True before the first job of the embedded engine. Writes nothing, but fails where it could not."""
    store = open_store(settings, Redactor(()))
    try:
        store.writable()
        return not settings.upstream_url and not store.catalog.newest(1)
    finally:
        store.close()


def more_files() -> None:
    """Every viewer is an open file. SettingsError where so few are allowed that nobody would be answered."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, 65536) if hard != resource.RLIM_INFINITY else 65536
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if 0 < (most := descriptors()) < FEWEST_DESCRIPTORS:
        raise SettingsError(
            f"this process may have {most} files open, and the service needs {FEWEST_DESCRIPTORS} at least:"
            " raise the limit (LimitNOFILE= of systemd, ulimit -n)"
        )


def settle_memory() -> None:
    """What is loaded by now stays: the collector need not look at it again, nor look so often at the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def greet(settings: Settings, port: int, empty: bool) -> None:
    address = link.base(settings.model_copy(update={"port": port, "public_url": ""}))
    public = f" and is reached at {settings.public_url}" if settings.public_url else ""
    print(f"jobtail serves on {address}{public}", flush=True)
    if empty:
        print("No jobs yet. Start one in another terminal: jobtail run -- CMD", flush=True)


@contextlib.contextmanager
def ends_quietly() -> Iterator[None]:
    """uvicorn raises the signal that stopped it once more, when all is closed: by then it has been obeyed."""

    def obeyed(number: int, frame: FrameType | None) -> None:
        pass

    before = {number: signal.signal(number, obeyed) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
