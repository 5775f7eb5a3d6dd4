"""Metrics for Prometheus: counts and times, never an id, nothing about a person.

With several processes, PROMETHEUS_MULTIPROC_DIR names a folder (empty at the start) through which
they add up.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = CONTENT_TYPE_LATEST
BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

_REQUESTS = Counter("plek_requests", "Requests answered.", ["method", "route", "status"])
_SECONDS = Histogram(
    "plek_request_seconds",
    "How long until the last byte; event streams apart.",
    ["method", "route"],
    buckets=BUCKETS,
)
_HOLDS = Counter(
    "plek_holds", "Holds, by what became of them; `taken` counts each once.", ["outcome"]
)
_SWAPS = Counter(
    "plek_swaps", "Swaps, by what became of them; `proposed` counts each once.", ["outcome"]
)
_RUNG = Counter("plek_dues_rung", "Dues that rang, those that rang again included.", ["kind"])
_CHECKED_OUT = Gauge(
    "plek_pool_checked_out", "Database connections in use.", multiprocess_mode="livesum"
)
_POOL_SIZE = Gauge(
    "plek_pool_size", "Database connections there may be.", multiprocess_mode="livesum"
)
_STREAMS = Gauge("plek_event_streams", "Event streams that are open.", multiprocess_mode="livesum")

_FREE = Gauge(
    "plek_disk_free_bytes", "Room on the data folder's disk.", multiprocess_mode="mostrecent"
)
_DELIVERIES = Counter(
    "plek_webhook_deliveries", "Attempts to send to webhooks, by how they went.", ["outcome"]
)
_MAILS = Counter("plek_mails", "Attempts to send mails, by how they went.", ["outcome"])
_LOST_LINES = Counter(
    "plek_log_lines_lost",
    "Lines of the log that could not be written: a full disk, a stuck reader.",
)
_DISABLED = Counter(
    "plek_webhooks_disabled", "Webhooks that were disabled: gone, or failing for days."
)


def request(method: str, route: str, *, status: int, seconds: float | None) -> None:
    """Count a request by the route's template.

    `seconds` is None for a stream, whose length says nothing.
    """
    _answer_counter(method, route, status).inc()
    if seconds is not None:
        _took(method, route).observe(seconds)


@cache
def _answer_counter(method: str, route: str, status: int) -> Counter:
    return _REQUESTS.labels(method, route, str(status))


@cache
def _took(method: str, route: str) -> Histogram:
    return _SECONDS.labels(method, route)


def count_holds(outcomes: Iterable[str]) -> None:
    """Count holds by outcome.

    The outcomes are taken, placed, declined, no_answer, released and expired.
    """
    for outcome in outcomes:
        _HOLDS.labels(outcome).inc()


def count_swaps(outcomes: Iterable[str]) -> None:
    """Count swaps by outcome.

    The outcomes are proposed, reserved, completed, broken, refused and expired.
    """
    for outcome in outcomes:
        _SWAPS.labels(outcome).inc()


def count_rung_dues(dues: Mapping[str, int]) -> None:
    """Count dues that rang, by kind."""
    for kind, count in dues.items():
        _RUNG.labels(kind).inc(count)


def pool(checked_out: int, size: int) -> None:
    """Note how busy this process's database connections are."""
    _CHECKED_OUT.set(checked_out)
    _POOL_SIZE.set(size)


def streams(count: int) -> None:
    """Note how many event streams this process has open."""
    _STREAMS.set(count)


def disk(free_bytes: int) -> None:
    """Note the room on the data folder's disk."""
    _FREE.set(free_bytes)


def delivery(outcome: str) -> None:
    """Count an attempt to send to a webhook as `delivered` or `failed`."""
    _DELIVERIES.labels(outcome).inc()


def count_mail(outcome: str) -> None:
    """Count an attempt to send a mail as `sent`, `failed`, `given_up` or `no_address`."""
    _MAILS.labels(outcome).inc()


def lost_lines(count: int) -> None:
    """Count lines of the log that could not be written."""
    _LOST_LINES.inc(count)


def webhook_disabled() -> None:
    """Count a webhook that has been disabled."""
    _DISABLED.inc()


@dataclass(frozen=True, slots=True)
class DatabaseCounts:
    """Counts that are read from the database when metrics are asked for."""

    live_claims: Mapping[str, int]
    """By kind."""
    outbox_waiting: int
    outbox_waiting_seconds: float
    dues: Mapping[tuple[str, str], int]
    """By kind, and `open`, `overdue`, or overdue and `unseen`."""
    timers_late_seconds: Mapping[str, float]
    """By timer; 0 for work that is not due."""
    backup_age_seconds: float | None
    """None before the first backup."""
    discrepancies: int
    """Records that disagree."""


def page(counted: DatabaseCounts | None, *, restarts: Mapping[str, int]) -> bytes:
    """Return all metrics in Prometheus' text format.

    Without the database's counts while it is gone. `restarts` of Plek's own servers are by name.
    """
    measured = generate_latest(_process_registry()) + generate_latest(_restarts(restarts))
    return measured if counted is None else measured + generate_latest(_database_registry(counted))


def _restarts(counts: Mapping[str, int]) -> CollectorRegistry:
    registry = CollectorRegistry()
    again = Counter(
        "plek_server_restarts",
        "How often one of Plek's own servers had died and was started again.",
        ["server"],
        registry=registry,
    )
    for server, count in counts.items():
        again.labels(server).inc(count)
    return registry


_FIGURES = {
    "plek_outbox_lag": "Rows of the outbox that wait for the relay.",
    "plek_outbox_lag_seconds": "How long the oldest of them has waited.",
    "plek_discrepancies": "Records that disagree, as the daily check found.",
}


def _database_registry(counted: DatabaseCounts) -> CollectorRegistry:
    registry = CollectorRegistry()
    claims = Gauge(
        "plek_live_claims",
        "Places that are not free, by what claims them.",
        ["kind"],
        registry=registry,
    )
    for kind, count in counted.live_claims.items():
        claims.labels(kind).set(count)
    figures = {
        "plek_outbox_lag": counted.outbox_waiting,
        "plek_outbox_lag_seconds": counted.outbox_waiting_seconds,
        "plek_discrepancies": counted.discrepancies,
    }
    for name, value in figures.items():
        Gauge(name, _FIGURES[name], registry=registry).set(value)
    dues = Gauge(
        "plek_dues",
        "What has to be done, by kind: open, overdue, and overdue not seen by anybody.",
        ["kind", "state"],
        registry=registry,
    )
    for (kind, state), count in counted.dues.items():
        dues.labels(kind, state).set(count)
    late = Gauge(
        "plek_timer_late_seconds",
        "For how long recurring work has been due; +Inf for what was never done.",
        ["timer"],
        registry=registry,
    )
    for timer, seconds in counted.timers_late_seconds.items():
        late.labels(timer).set(seconds)
    if counted.backup_age_seconds is not None:
        age = Gauge(
            "plek_backup_age_seconds", "How long ago the last backup was made.", registry=registry
        )
        age.set(counted.backup_age_seconds)
    return registry


def _process_registry() -> CollectorRegistry:
    if not os.environ.get(SHARED_FOLDER):
        return REGISTRY
    added_up = CollectorRegistry()
    MultiProcessCollector(added_up)
    ProcessCollector(registry=added_up)
    return added_up
