"""Recurring work on the ledger: sign its tree, seal quarters, release their figures.

It stands apart from the worker because `plek demo` signs too, without the rest of the service.
"""

import structlog

from app.database.transaction import Transaction
from app.errors import OperatorError
from app.ledger import checkpoints
from app.ledger.signed_file import SignedTreeFile
from app.shares import monitor_releases, quarter_totals

TOTALS_S = 600.0
SEAL_S = 20.0
MONITOR_S = 900.0
AT_ONCE_S = 0.0
"""The pause before work that may have more to do."""
UNFOUNDED_S = 30.0
"""How long to wait for the country's data in a database without any."""

log = structlog.get_logger()


async def seal_quarters(tx: Transaction) -> float:
    """Seal the quarters that are due."""
    await quarter_totals.seal_quarters(tx)
    return TOTALS_S


async def sign_tree(tx: Transaction, *, signed: SignedTreeFile | None) -> float:
    """Sign the ledger's tree, if it has grown, and if it does not contradict what was signed."""
    if tx.reference_version == 0:
        return UNFOUNDED_S
    try:
        return AT_ONCE_S if await checkpoints.sign_tree(tx, signed=signed) else SEAL_S
    except checkpoints.LedgerBroken:  # logged where it was found; the other timers go on
        return SEAL_S
    except OperatorError as error:
        log.error("nothing_signed", reason=str(error))  # noqa: TRY400 - its sentence says it all
        return SEAL_S


async def release_figures(tx: Transaction) -> float:
    """Count the day, and release a quarter that is due."""
    if tx.reference_version == 0:
        return UNFOUNDED_S
    await monitor_releases.count_day(tx)
    released = await monitor_releases.release_next_quarter(tx)
    if released is None:
        return MONITOR_S
    log.info("quarter_released", quarter=str(released))
    return AT_ONCE_S
