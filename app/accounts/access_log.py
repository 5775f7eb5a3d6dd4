"""The access log as each reader may see it, and its review."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.accounts.store import access_log_counts, access_log_reads
from app.accounts.store.access_log_counts import LocalHours, ReviewPeriod
from app.accounts.store.access_log_reads import AccessLogFilter, AccessLogRow
from app.allocation.figures import review as rules
from app.allocation.figures.review import AccountActivity, ReviewFinding
from app.database import access_log
from app.database.register import ProviderCard
from app.database.transaction import Transaction
from app.errors import Missing
from app.reference import load

LOOKED = frozenset(
    {"read", "search", "rank", "replay", "reveal", "export", "break_glass", "danger_look"}
)
"""The actions done only to know something: the review asks about these at odd hours.

Acceptances and arrivals happen at night as well.
"""


@dataclass(frozen=True, slots=True)
class AccessByProvider:
    """An entry of the log, with the name of the provider that looked, if it is known."""

    row: AccessLogRow
    provider: str | None


@dataclass(frozen=True, slots=True)
class LogReview:
    """The findings of a review of some days."""

    since: datetime
    until: datetime
    findings: tuple[ReviewFinding, ...]


async def list_entries(
    tx: Transaction, wanted: AccessLogFilter, *, limit: int, after: tuple[datetime, int] | None
) -> list[AccessLogRow]:
    """Return entries of the whole log for administrators, newest first."""
    return await access_log_reads.list_entries(tx, wanted, limit=limit, after=after)


async def list_of_referral(
    tx: Transaction, referral_id: UUID, *, limit: int, before: int | None
) -> list[AccessByProvider]:
    """Return who looked at a referral of the caller's provider, newest first.

    Its client may be shown this. Refused looks that name the referral are included, and so are
    those of an erased referral.
    """
    if not await access_log_reads.is_own(tx, referral_id, provider_id=tx.caller.provider):
        raise Missing
    tx.looks.referral_ids.add(referral_id)
    rows = await access_log_reads.list_of_referral(
        tx, referral_id, limit=limit, before=access_log_reads.NEWEST if before is None else before
    )
    return await _with_providers(tx, rows)


async def list_notices(
    tx: Transaction, *, limit: int, before: int | None, after: int | None
) -> list[AccessByProvider]:
    """Return the entries that the caller's provider is notified of, newest first.

    These are questions for addresses of its sites, its own people's too, and each break of its
    glass. `after` is the last event that the caller knows.
    """
    rows = await access_log_reads.list_notices(
        tx,
        tx.caller.provider,
        limit=limit,
        before=access_log_reads.NEWEST if before is None else before,
        after=access_log_reads.OLDEST if after is None else after,
    )
    return await _with_providers(tx, rows)


async def review_log(tx: Transaction, span: ReviewPeriod) -> LogReview:
    """Return what the log of some days has that should be asked about, by the policy in force."""
    thresholds = (await tx.snapshots.reference(tx)).policy.review
    odd = LocalHours(rules.odd_hours(thresholds), load().country.time_zone)
    counts: dict[UUID, dict[str, int]] = {
        account_id: dict(counted)
        for account_id, counted in (
            await access_log_counts.by_account(tx, span, looks=LOOKED, odd=odd)
        ).items()
    }
    for code, counted in (
        (rules.RANKINGS_WITHOUT_HOLD, await access_log_counts.rankings_without_hold(tx, span)),
        (rules.SAME_REFERRAL, await access_log_counts.of_same_referral(tx, span)),
    ):
        for account_id, count in counted.items():
            counts.setdefault(account_id, {})[code] = count
    people = await access_log_counts.reviewed_accounts(tx, span, counts)
    tallies = [
        AccountActivity(
            str(account_id),
            _text(people[account_id].provider_id),
            people[account_id].roles,
            counts[account_id],
        )
        for account_id in people
    ]
    return LogReview(span.since, span.until, rules.findings(tallies, thresholds))


async def review_by_operator(tx: Transaction, *, days: int) -> LogReview:
    """Review the last days at the command line, and log that this was done."""
    await access_log.add(tx, access_log.of_actor(tx.actor, "search", "access_log", None))
    return await review_log(tx, last_days(tx, days=days))


def last_days(tx: Transaction, *, days: int) -> ReviewPeriod:
    """Return the period of the last days, up to this transaction."""
    return ReviewPeriod(tx.at - timedelta(days=days), tx.at)


async def _with_providers(tx: Transaction, rows: list[AccessLogRow]) -> list[AccessByProvider]:
    cards: Mapping[str, ProviderCard] = await tx.snapshots.providers(tx)
    return [AccessByProvider(row, _name(cards, row.provider_id)) for row in rows]


def _name(cards: Mapping[str, ProviderCard], provider_id: UUID | None) -> str | None:
    card = cards.get(str(provider_id))
    return None if card is None else card.name


def _text(id_: UUID | None) -> str | None:
    return None if id_ is None else str(id_)
