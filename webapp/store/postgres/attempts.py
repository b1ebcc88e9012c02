"""Who tried wrong tokens, for all replicas: a table that is not logged, since nothing of it has to survive a crash."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..tried import FORGET_SECONDS, MOST, Tried
from .database import PostgresDatabase

_OLD = f"at < clock_timestamp() - {FORGET_SECONDS} * interval '1 second'"


class PostgresAttempts:
    """Implements `store.base.Attempts`."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._db = database

    def failed(self, kind: str, counts: Mapping[str, int], known: Collection[str]) -> None:
        # In order, so that two processes that tell of the same addresses at once never wait for each other.
        addresses = sorted(counts)
        self._db.write(
            "INSERT INTO jobtail.attempt AS a (kind, address, failures, at, known)"
            " SELECT %(kind)s, address, failures, clock_timestamp(), known FROM unnest(%(addresses)s::text[],"
            " %(counts)s::bigint[], %(known)s::boolean[]) AS told (address, failures, known)"
            f" ON CONFLICT (kind, address) DO UPDATE SET failures = excluded.failures + CASE WHEN a.{_OLD} THEN 0"
            " ELSE a.failures END, at = excluded.at, known = a.known OR excluded.known",
            {
                "kind": kind, "addresses": addresses, "counts": [counts[address] for address in addresses],
                "known": [address in known for address in addresses],
            },
        )  # fmt: skip
        self._db.write(
            f"DELETE FROM jobtail.attempt WHERE {_OLD} OR at <="
            f" (SELECT at FROM jobtail.attempt ORDER BY at DESC OFFSET {MOST} LIMIT 1)"
        )

    def succeeded(self, kind: str, addresses: Collection[str]) -> None:
        self._db.write(
            "UPDATE jobtail.attempt SET failures = 0, known = true WHERE kind = %s AND address = ANY(%s)",
            (kind, list(addresses)),
        )

    def of(self, kind: str, addresses: Collection[str]) -> dict[str, Tried]:
        rows = self._db.read(
            "SELECT address, failures, extract(epoch FROM clock_timestamp() - at)::float8, known FROM jobtail.attempt"
            f" WHERE kind = %s AND address = ANY(%s) AND NOT {_OLD}",
            (kind, list(addresses)),
        )
        return {address: Tried(*row) for address, *row in rows}
