"""The parts, put together once for a process."""

from __future__ import annotations

from dataclasses import dataclass

from anyio import CapacityLimiter

from .access.cancels import Cancels
from .access.decide import Access
from .access.shares import Shares
from .access.signer import make_signer
from .engine.catalog import Catalog
from .engine.source import EmbeddedSource
from .journal.redact import Redactor
from .poller.budget import Budget
from .poller.follower import Follower
from .settings import Settings
from .source.base import Source
from .source.listing import Listing
from .store.base import Store
from .store.open import open_store
from .stream.hub import Attend, Hub
from .threads import CHORES


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
    cancels: Cancels
    budget: Budget | None

    def limiters(self) -> dict[str, CapacityLimiter]:
        """What bounds work of one kind, by its name."""
        if self.budget is None:
            return {}
        return {"upstream requests": self.budget.requests, "polling": self.budget.threads}

    async def start(self) -> None:
        self.hub.start()

    async def stop(self) -> None:
        """Viewers are told first."""
        await self.hub.close()
        await self.cancels.close()
        await self.source.aclose()
        await CHORES.run(self.store.close)


def build(settings: Settings) -> Service:
    """JournalError where the data folder can't be used."""
    redactor = Redactor(settings.redact, settings.credentials())
    store = open_store(settings, redactor)
    catalog, shares = Catalog(store, settings.data_dir), Shares(store)
    budget = Budget() if settings.upstream_url else None
    source, attend = _upstream(settings, redactor, budget) if budget else _embedded(catalog, store)
    hub = Hub(
        store.journals,
        store.presence,
        source.status,
        attend,
        forgotten=catalog.forget,
        max_viewers=settings.max_viewers,
        max_viewers_per_job=settings.max_viewers_per_job,
    )
    return Service(
        settings=settings,
        redactor=redactor,
        source=source,
        listing=Listing(source.jobs),
        store=store,
        hub=hub,
        catalog=catalog,
        shares=shares,
        access=Access(settings, shares, make_signer(settings, store.secret_key)),
        cancels=Cancels(source, catalog),
        budget=budget,
    )


def _embedded(catalog: Catalog, store: Store) -> tuple[Source, Attend]:
    source = EmbeddedSource(catalog, store.journals)
    return source, lambda journal, changed: Follower(source, journal, changed)


def _upstream(settings: Settings, redactor: Redactor, budget: Budget) -> tuple[Source, Attend]:
    # Imported here: without an upstream the service starts without its HTTP client.
    from .poller.poller import Poller
    from .source.fused import FusedSource

    source = FusedSource(settings, redactor)
    return source, lambda journal, changed: Poller(source, journal, settings, budget=budget, changed=changed)
