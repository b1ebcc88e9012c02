"""The parts, put together once for a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .access.cancels import Cancels
from .access.decide import Access
from .access.quota import Quota
from .access.shared_tries import SharedTries
from .access.shares import Shares
from .access.signer import make_signer
from .engine.beside import BesideUpstream
from .engine.catalog import Catalog
from .engine.intake import Intake
from .engine.source import EmbeddedSource
from .journal.redact import Redactor
from .poller.budget import Budget
from .poller.follower import Follower
from .settings import Settings
from .source.base import Source
from .source.listing import Listing
from .store.base import Journal, Store
from .store.open import open_store
from .stream.hub import Hub
from .stream.upkeep import MakeUpdater, Updater
from .threads import CHORES, POOLS

# How long giving back what is held may take at the end of the process.
LEAVE_SECONDS = 3.0


@dataclass(slots=True)
class Service:
    settings: Settings
    redactor: Redactor
    source: Source
    listing: Listing
    store: Store
    hub: Hub
    catalog: Catalog
    shares: Shares
    access: Access
    shared_tries: SharedTries
    cancels: Cancels
    intake: Intake
    quota: Quota
    budget: Budget | None

    def load(self) -> Iterator[tuple[str, int, int]]:
        """Of all that bounds work of one kind: its name, how much of that work is under way, and how much waits."""
        for pool in (*POOLS, self.intake.pool):
            yield pool.purpose, *pool.load
        if self.budget is not None:
            for name, limiter in self.budget.limiters().items():
                found = limiter.statistics()
                yield name, found.borrowed_tokens, found.tasks_waiting

    @property
    def upstream(self) -> Source | None:
        return self.source.upstream if isinstance(self.source, BesideUpstream) else None

    async def start(self) -> None:
        self.hub.start()
        self.shared_tries.start()

    async def stop(self) -> None:
        """Viewers are told first. A store that does not answer by then holds nothing up: a lease that is not given back
        runs out by itself."""
        self.store.hurry(LEAVE_SECONDS)
        await self.hub.close()
        await self.shared_tries.close()
        await self.cancels.close()
        await self.listing.close()
        await self.source.aclose()
        await CHORES.run(self.intake.close)
        await CHORES.run(self.store.close)


def build(settings: Settings) -> Service:
    """JournalError where the data folder can't be used."""
    redactor = Redactor(settings.redact, settings.credentials())
    store = open_store(settings, redactor)
    catalog, shares = Catalog(store, settings.data_dir), Shares(store)
    reported = EmbeddedSource(catalog, store.journals, store.reports)
    budget = Budget() if settings.upstream_url else None
    source, make_updater = _beside(settings, redactor, budget, reported) if budget else _embedded(reported)
    hub = Hub(
        store.journals,
        store.presence,
        source.status,
        make_updater,
        prepare=source.of if isinstance(source, BesideUpstream) else None,
        forgotten=lambda jobs: _forget(store, catalog, jobs),
        max_viewers=settings.max_viewers,
        max_viewers_per_job=settings.max_viewers_per_job,
    )
    access = Access(settings, shares, make_signer(settings, store.secret_key))
    return Service(
        settings=settings,
        redactor=redactor,
        source=source,
        listing=Listing(source.jobs),
        store=store,
        hub=hub,
        catalog=catalog,
        shares=shares,
        access=access,
        shared_tries=SharedTries(store.attempts, {"sign-in": access.sign_ins, "token": access.tokens}),
        cancels=Cancels(source, catalog),
        intake=Intake(store, catalog),
        quota=Quota(settings),
        budget=budget,
    )


def _forget(store: Store, catalog: Catalog, jobs: list[str]) -> None:
    catalog.forget(jobs)
    store.reports.forget(jobs)


def _embedded(source: EmbeddedSource) -> tuple[Source, MakeUpdater]:
    return source, lambda journal, changed: Follower(source, journal, changed)


def _beside(
    settings: Settings, redactor: Redactor, budget: Budget, reported: EmbeddedSource
) -> tuple[Source, MakeUpdater]:
    # Imported here: without an upstream the service starts without its HTTP client.
    from .poller.poller import Poller
    from .source.fused import FusedSource

    upstream = FusedSource(settings, redactor)
    source = BesideUpstream(reported, upstream)

    def updater(journal: Journal, changed: Callable[[], None]) -> Updater:
        if source.is_reported(journal.job):
            return Follower(reported, journal, changed)
        return Poller(upstream, journal, settings, budget=budget, changed=changed)

    return source, updater
