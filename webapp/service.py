"""The parts, put together once for a process."""

from __future__ import annotations

from dataclasses import dataclass

from .access.decide import Access
from .access.shares import Shares
from .engine.catalog import Catalog
from .engine.source import EmbeddedSource
from .journal.redact import Redactor
from .poller.follower import Follower
from .settings import Settings
from .source.base import Source
from .source.listing import Listing
from .store.sqlite.journals import Journals
from .stream.hub import Attend, Hub

DATABASE = "jobtail.sqlite3"


@dataclass(slots=True)
class Service:
    settings: Settings
    redactor: Redactor
    source: Source
    listing: Listing
    journals: Journals
    hub: Hub
    catalog: Catalog
    shares: Shares
    access: Access

    async def start(self) -> None:
        self.hub.start()

    async def stop(self) -> None:
        """Viewers are told first."""
        await self.hub.close()
        await self.source.aclose()
        self.shares.close()
        self.catalog.close()


def open_journals(settings: Settings, redactor: Redactor) -> Journals:
    return Journals(
        settings.data_dir,
        redactor,
        beat_ms=max(1, round(settings.refresh_seconds * 1000)),
        max_bytes=settings.journal_max_bytes,
        retention_days=settings.retention_days,
    )


def build(settings: Settings) -> Service:
    """JournalError where the data folder can't be used."""
    redactor = Redactor(settings.redact, settings.credentials())
    journals = open_journals(settings, redactor)
    catalog = Catalog(settings.data_dir / DATABASE)
    shares = Shares(settings.data_dir / DATABASE)
    source, attend = _upstream(settings, redactor) if settings.upstream_url else _embedded(catalog, journals)
    hub = Hub(
        journals,
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
        journals=journals,
        hub=hub,
        catalog=catalog,
        shares=shares,
        access=Access(settings, shares),
    )


def _embedded(catalog: Catalog, journals: Journals) -> tuple[Source, Attend]:
    source = EmbeddedSource(catalog, journals)
    return source, lambda journal, changed: Follower(source, journal, changed)


def _upstream(settings: Settings, redactor: Redactor) -> tuple[Source, Attend]:
    # Imported here: without an upstream the service starts without its HTTP client.
    from .poller.budget import Budget
    from .poller.poller import Poller
    from .source.fused import FusedSource

    source, budget = FusedSource(settings, redactor), Budget()
    return source, lambda journal, changed: Poller(source, journal, settings, budget=budget, changed=changed)
