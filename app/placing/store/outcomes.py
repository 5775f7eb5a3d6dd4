"""What became of holds and swaps, counted for the metrics once it has become true."""

from collections.abc import Iterable
from functools import partial

from app import metrics
from app.database.transaction import Transaction


def count(tx: Transaction, outcomes: Iterable[str]) -> None:
    """Count outcomes when the transaction commits: `taken`, or the status that a hold was resolved with."""
    tx.after_commit.extend(partial(metrics.hold, outcome) for outcome in outcomes)


def count_swaps(tx: Transaction, outcomes: Iterable[str]) -> None:
    """Count swaps likewise: `proposed`, `reserved`, or the status that one was resolved with."""
    tx.after_commit.extend(partial(metrics.swap, outcome) for outcome in outcomes)
