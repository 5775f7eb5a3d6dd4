"""Uses, raises and alarms of budgets; the database's own functions decide."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, bindparam, delete, func, select, text, tuple_

from app.database.transaction import Transaction
from app.models import BudgetAlarm, BudgetRaise, BudgetUse

_OF_KIND = (
    bindparam("kind", type_=Text()),
    bindparam("subject", type_=Uuid()),
    bindparam("times", type_=Integer()),
)
_WAIT = text("SELECT budget_wait(:kind, :subject, :times) AS wait_s").bindparams(*_OF_KIND)
_SPEND = text("SELECT spend_budget(:kind, :subject, :times)").bindparams(*_OF_KIND)
_RAISE = text("SELECT raise_budget(:id, :account_id, :token_id, :reason) AS outcome").bindparams(
    bindparam("id", type_=Uuid()),
    bindparam("account_id", type_=Uuid()),
    bindparam("token_id", type_=Uuid()),
    bindparam("reason", type_=Text()),
)
_PROVED = text("SELECT proved_lately(:token_id) AS lately").bindparams(
    bindparam("token_id", type_=Uuid())
)
_OWN = text("SELECT * FROM my_budgets()")


@dataclass(frozen=True, slots=True)
class RaiseRow:
    """One doubling of an account's budgets."""

    id: UUID
    account_id: UUID
    provider_id: UUID
    raised_by: UUID
    as_what: str
    """`oneself`, `colleague` or `administrator`."""
    reason: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """A budget: how much of it is used, and how much there is."""

    kind: str
    used: int
    most: int


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """A desk that reached its budget of live holds."""

    provider_id: UUID
    holds: int
    at: datetime


_RAISES = tuple(getattr(BudgetRaise, name) for name in RaiseRow.__slots__)


async def wait_s(tx: Transaction, kind: str, *, times: int) -> int:
    """Return in how many seconds a budget of the caller may be used so often; 0 for now."""
    return (await tx.rows(_WAIT, {"kind": kind, "subject": None, "times": times}))[0].wait_s


async def spend(tx: Transaction, kind: str, *, subject: UUID | None, times: int) -> None:
    """Use a budget of the caller; the database refuses beyond it."""
    await tx.rows(_SPEND, {"kind": kind, "subject": subject, "times": times})


async def raise_budget(
    tx: Transaction, id_: UUID, *, account_id: UUID, token_id: UUID, reason: str
) -> str:
    """Double an account's budgets; return `raised`, `already`, `unproved` or `missing`."""
    values = {"id": id_, "account_id": account_id, "token_id": token_id, "reason": reason}
    return (await tx.rows(_RAISE, values))[0].outcome


async def proved_lately(tx: Transaction, token_id: UUID) -> bool:
    """Whether the second factor was proved for one of the caller's tokens not too long ago."""
    return (await tx.rows(_PROVED, {"token_id": token_id}))[0].lately


async def read_own(tx: Transaction) -> list[BudgetRow]:
    """Return the caller's budgets."""
    return [BudgetRow(*row) for row in await tx.rows(_OWN)]


async def read_raise(tx: Transaction, id_: UUID) -> RaiseRow | None:
    """Return one raise that the caller may see."""
    row = await tx.row(select(*_RAISES).where(BudgetRaise.id == id_))
    return None if row is None else RaiseRow(*row)


async def list_raises(
    tx: Transaction, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[RaiseRow]:
    """Return the raises that the caller may see, newest first."""
    statement = select(*_RAISES).order_by(BudgetRaise.at.desc(), BudgetRaise.id.desc())
    if after is not None:
        statement = statement.where(tuple_(BudgetRaise.at, BudgetRaise.id) < tuple_(*after))
    return [RaiseRow(*row) for row in await tx.rows(statement.limit(limit))]


async def list_alarms(tx: Transaction, *, since: datetime) -> list[AlarmRow]:
    """Return the alarms about desks since a moment, newest first."""
    columns = tuple(getattr(BudgetAlarm, name) for name in AlarmRow.__slots__)
    found = select(*columns).where(BudgetAlarm.at >= since).order_by(BudgetAlarm.id.desc())
    return [AlarmRow(*row) for row in await tx.rows(found)]


async def prune(tx: Transaction, *, kept: timedelta) -> None:
    """Forget uses that count no more."""
    await tx.run(delete(BudgetUse).where(BudgetUse.at < func.clock_timestamp() - kept))
