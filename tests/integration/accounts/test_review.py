"""The review of the access log.

What it counts, for which accounts, and on which days.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.accounts import access_log
from app.accounts.store.access_log_counts import ReviewPeriod
from app.allocation.figures.review import ReviewFinding
from tests.access_calls import noon
from tests.country import Country

NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)
"""A Wednesday, at an hour that is not odd anywhere in the country."""
WEEK = ReviewPeriod(NOON - timedelta(days=7), NOON + timedelta(hours=1))
ADD = """
INSERT INTO access_log
  (at, action, outcome, account_id, roles, provider_id, purpose, object_type, referral_ids)
SELECT CAST(:at AS timestamptz), :action, :outcome, :account_id, :roles, :provider_id, :purpose,
       'referral',
       CAST(:referral_ids AS uuid[])
FROM generate_series(1, :times)"""


@dataclass
class Desk:
    """An account whose looks a test writes into the log."""

    country: Country
    provider_id: UUID
    account_id: UUID | None = field(default_factory=uuid4)
    roles: list[str] = field(default_factory=lambda: ["intake_worker"])

    async def looked(
        self, action: str, *referrals: UUID, times: int = 1, at: datetime = NOON, **more: Any
    ) -> None:
        """Write that many entries as the table's owner, who alone can set their time."""
        values: dict[str, Any] = {"outcome": "granted", "purpose": None} | more
        await self.country.rows(
            ADD,
            at=at,
            action=action,
            account_id=self.account_id,
            roles=self.roles,
            provider_id=self.provider_id,
            referral_ids=list(referrals),
            times=times,
            **values,
        )


async def desk(country: Country, slug: str = "haven", **more: Any) -> Desk:
    return Desk(country, await country.provider(slug), **more)


async def review(country: Country, span: ReviewPeriod = WEEK) -> tuple[ReviewFinding, ...]:
    """Review as an administrator."""
    async with country.parts.database.transaction(await country.hashed("administrator")) as tx:
        return (await access_log.review_log(tx, span)).findings


async def counts(country: Country, span: ReviewPeriod = WEEK) -> Mapping[str, int]:
    return {finding.code: finding.count for finding in await review(country, span)}


async def test_rankings_count_where_nobody_took_a_hold_afterwards(country: Country) -> None:
    haven, colleague = await desk(country), await desk(country)
    without, before, after, by_another = (uuid4() for _ in range(4))
    await haven.looked("rank", without, times=12)
    await haven.looked("rank", before, times=9)
    await haven.looked("rank", after, times=40)
    await haven.looked("rank", by_another, times=40)
    await haven.looked("hold", before, at=NOON - timedelta(hours=1))
    await haven.looked("hold", after, at=NOON + timedelta(minutes=1))
    await colleague.looked("hold", by_another, at=NOON + timedelta(minutes=1))
    await haven.looked("hold", without, at=NOON + timedelta(minutes=1), outcome="refused")

    assert (await counts(country))["rankings_without_hold"] == 21


async def test_a_hold_after_the_first_ranking_answers_for_all_of_them(country: Country) -> None:
    haven = await desk(country)
    referral = uuid4()
    for minutes, action in ((0, "rank"), (5, "hold"), (10, "rank")):
        times = 30 if action == "rank" else 1
        await haven.looked(action, referral, times=times, at=NOON + timedelta(minutes=minutes))

    assert "rankings_without_hold" not in await counts(country)


async def test_changes_of_danger_zones_count_and_no_other_changes(country: Country) -> None:
    haven = await desk(country)
    await haven.looked("change", uuid4(), times=20, purpose="danger_zones")
    await haven.looked("change", uuid4(), times=99)
    await haven.looked("change", uuid4(), times=99, purpose="danger_zones", outcome="refused")

    assert await counts(country) == {"zone_changes": 20}


async def test_addresses_that_were_shown_count_and_none_that_were_refused(country: Country) -> None:
    haven = await desk(country)
    await haven.looked("reveal", times=30, purpose="transport")
    await haven.looked("reveal", times=99, purpose="transport", outcome="refused")

    assert await counts(country) == {"reveals": 30}


async def test_the_same_client_again_and_again_is_the_one_looked_at_most(country: Country) -> None:
    haven = await desk(country)
    one, *others = (uuid4() for _ in range(21))
    for action in ("read", "rank", "reveal"):
        await haven.looked(action, one, times=13)
    await haven.looked("search", one, *others, times=12)
    await haven.looked("accept", one, times=99)
    await haven.looked("read", one, times=99, outcome="refused")

    assert (await counts(country))["same_referral"] == 51


async def test_many_clients_are_not_the_same_one(country: Country) -> None:
    haven = await desk(country)
    for _ in range(60):
        await haven.looked("read", uuid4())

    assert await counts(country) == {}


@pytest.mark.parametrize(
    "at, odd",
    [
        # Half past one, in winter.
        ("2026-01-14T00:30:00+00:00", True),
        ("2026-01-13T23:59:00+00:00", False),
        ("2026-01-14T03:59:00+00:00", True),
        ("2026-01-14T04:00:00+00:00", False),
        # One o'clock, in summer.
        ("2026-07-14T23:00:00+00:00", True),
        ("2026-07-14T22:59:00+00:00", False),
        ("2026-07-15T02:59:00+00:00", True),
        ("2026-07-15T03:00:00+00:00", False),
    ],
)
async def test_hours_are_odd_by_the_clocks_of_the_country(
    country: Country,
    at: str,
    odd: bool,  # noqa: FBT001 - one of two cases
) -> None:
    moment = datetime.fromisoformat(at)
    haven = await desk(country)
    for _ in range(30):
        await haven.looked("read", uuid4(), at=moment)

    span = ReviewPeriod(moment - timedelta(days=1), moment + timedelta(days=1))

    assert await counts(country, span) == ({"odd_hours": 30} if odd else {})


async def test_who_acts_in_the_night_is_not_asked_about_it_and_no_machine_is(
    country: Country,
) -> None:
    night = NOON.replace(hour=2)
    for action in ("hold", "accept", "arrive", "register"):
        await (await desk(country)).looked(action, uuid4(), times=40, at=night)
    machine = await desk(country, roles=["client_system"])
    await machine.looked("search", times=99, at=night)

    assert await counts(country) == {}


async def test_only_what_lies_in_the_days_counts(country: Country) -> None:
    haven = await desk(country)
    second = timedelta(seconds=1)
    for at, times in (
        (WEEK.since - second, 99),
        (WEEK.since, 10),
        (WEEK.until - second, 20),
        (WEEK.until, 99),
    ):
        await haven.looked("reveal", at=at, times=times)

    assert await counts(country) == {"reveals": 30}


async def test_every_account_counts_for_itself_and_is_named_with_what_it_was(
    country: Country,
) -> None:
    busy = await desk(country, "linde", roles=["coordinator", "intake_worker"])
    for one in (busy, await desk(country)):
        await one.looked("reveal", times=29)
    await busy.looked("reveal")
    nobody = await desk(country, account_id=None)
    await nobody.looked("reveal", times=99)

    found = await review(country)

    assert found == (
        ReviewFinding(
            "reveals",
            str(busy.account_id),
            str(busy.provider_id),
            ("coordinator", "intake_worker"),
            30,
            threshold=30,
        ),
    )


async def test_the_operator_finds_what_administrators_find_and_it_is_written_down(
    country: Country,
) -> None:
    haven = await desk(country)
    await haven.looked("reveal", times=35, at=noon(2))
    await haven.looked("reveal", times=35, at=noon(8))

    async with country.owner.transaction() as tx:
        seven = await access_log.review_by_operator(tx, days=7)
        nine = await access_log.review_by_operator(tx, days=9)

    assert [finding.count for finding in (*seven.findings, *nine.findings)] == [35, 70]
    assert seven.until - seven.since == timedelta(days=7)
    assert await review(country, ReviewPeriod(seven.since, seven.until)) == seven.findings
    written = (
        "SELECT action, object_type, outcome, account_id, roles FROM access_log"
        " WHERE roles = '{operator}'"
    )
    assert [tuple(row) for row in await country.rows(written)] == [
        ("search", "access_log", "granted", None, ["operator"])
    ] * 2


async def test_whoever_is_neither_counts_nothing_of_others(country: Country) -> None:
    await (await desk(country)).looked("reveal", times=99)
    for hashed in (
        await country.hashed("intake_worker", "coordinator", "client_system", provider="haven"),
        await country.hashed("auditor", region="GM0518"),
        b"nobody",
    ):
        async with country.parts.database.transaction(hashed) as tx:
            assert (await access_log.review_log(tx, WEEK)).findings == ()
