"""The demo country's past in the database.

What a controller reads there is whole, signed, and can be made again.
"""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from app.allocation.ledger.exports import export_line
from app.allocation.policy.policy import Policy
from app.commands import demo as command
from app.commands.ledger import ledger_shares, verify
from app.consistency import consistency
from app.consistency.consistency import Found
from app.database.transaction import WORKER
from app.demo import demo
from app.demo.past.live import live_through
from app.ledger import checkpoints, entries
from app.ledger.store import tree
from app.reference import ReferenceFiles
from app.simulation.country.past import Past, PastSetting
from tests.country import HERE, Client, Country
from tests.ledger_stays import local_today, seal

ONE_AT_A_TIME = """
SELECT count(*) FROM placements AS p JOIN placements AS q ON q.place_id = p.place_id AND q.id > p.id
WHERE tstzrange(p.arrived_at, p.departed_at) && tstzrange(q.arrived_at, q.departed_at)
"""
AS_CLAIMED = """
SELECT count(*) FROM placements AS p FULL JOIN claims AS c ON c.placement_id = p.id AND c.place_id = p.place_id
WHERE (p.status = 'arrived') IS DISTINCT FROM (c.kind = 'placement') AND (p.status = 'arrived' OR c.kind = 'placement')
"""
AFTER_ITS_LAST = """
SELECT count(*) FROM claims AS c JOIN placements AS p ON p.place_id = c.place_id
WHERE c.kind IS DISTINCT FROM 'placement' AND p.departed_at > c.since
"""
KEPT_TOO_LONG = """
SELECT count(*) FROM referrals AS r JOIN referral_secrets AS s ON s.referral_id = r.id
WHERE r.status IN ('ended', 'withdrawn') AND r.updated_at < now() - interval '365 days'
"""
WITHOUT_A_LEAF = """
SELECT count(*) FROM placements AS p LEFT JOIN leaves AS l ON l.placement_id = p.id AND l.type = 'arrival'
WHERE (p.cross_regional AND p.began_id IS NULL) <> (l.index IS NOT NULL)
"""


def aside(
    reference: ReferenceFiles, policy: Policy, ground: PastSetting, *, seed: int, progress: object
) -> Past:
    """Live through a past in a process of its own, without coverage, which slows it."""
    del progress
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(live_through, reference, policy, ground, seed=seed).result()


async def lived(country: Country, *, quarters: int) -> None:
    """Found the demo country with some quarters of its past, and let the ledger be signed."""
    async with country.owner.transaction() as tx:
        await demo.fill(tx)
        with pytest.MonkeyPatch.context() as elsewhere:
            elsewhere.setattr(command, "live_through", aside)
            await command.live(tx, seed=1, quarters=quarters)
    await command.sign(country.parts.database, signed=None)


async def exported(country: Country, folder: Path, *, region: str | None) -> tuple[Path, Path, str]:
    """Write what a region's controllers take along, or anybody.

    Return lines, checkpoint, and the key.
    """
    lines, note = folder / f"{region}.jsonl", folder / f"{region}.checkpoint"
    async with country.owner.transaction() as tx:
        newest = await tree.newest(tx)
        assert newest is not None
        found = [one async for one in entries.export_entries(tx, size=newest.size, region=region)]
        key = (await checkpoints.verifiers(tx))[0].to_text()
    lines.write_bytes(b"".join(export_line(one.index, one.content, one.opening) for one in found))
    note.write_text(newest.note, encoding="utf-8")
    return lines, note, key


async def test_a_controller_finds_a_past_that_is_whole_and_that_anybody_can_check(
    country: Country, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await lived(country, quarters=1)
    auditor = await country.client("auditor", region=HERE)

    for wrong in (ONE_AT_A_TIME, AS_CLAIMED, AFTER_ITS_LAST, KEPT_TOO_LONG, WITHOUT_A_LEAF):
        assert await country.value(wrong) == 0, wrong
    assert (
        await country.value("SELECT count(*) FROM claims WHERE claimed_until <= clock_timestamp()")
        == 72
    )
    assert await country.value("SELECT count(*) FROM referrals WHERE status = 'open'") == 40
    assert await records_that_disagree(country) == (set(), True)
    await shares_add_up(auditor, country)
    await decisions_can_be_made_again(auditor)
    lines, note, key = await exported(country, tmp_path, region=HERE)
    verify.verify(lines, checkpoint=note, key=key)
    ledger_shares.check(lines, region=HERE, quarter=None, today=local_today())
    said = capsys.readouterr().out
    assert said.startswith("Right.")
    assert "WRONG" not in said
    assert "digit for digit" in said or "Not to be told yet" in said
    assert await seal(country) == 0
    assert await country.value("SELECT max(index) + 1 FROM leaves") == len(
        lines.read_text().splitlines()
    )


async def records_that_disagree(country: Country) -> tuple[set[Found], bool]:
    """Compare all that is recorded twice; return what differs, and whether there was a past."""
    async with country.parts.database.transaction(actor=WORKER) as tx:
        compared = [one async for one in consistency.check_everything(tx)]
    return {one for _, found in compared for one in found}, len(compared) > 30


async def shares_add_up(auditor: Client, country: Country) -> None:
    """All that was given was received, and all of it was some region's part."""
    quarter = await country.value("SELECT quarter FROM quarter_totals")
    shares = await auditor.get(f"/fair-shares?from={quarter}&to={quarter}")
    regions = shares["regions"]
    given, received = (sum(one[name] for one in regions) for name in ("given", "received"))

    assert given == received > 1000
    assert sum(one["quota"] for one in regions) == pytest.approx(given, abs=0.01)
    assert (
        sum(one["capacityGiven"] for one in regions)
        == sum(one["capacityDebt"] for one in regions)
        > 1000
    )


async def decisions_can_be_made_again(auditor: Client) -> None:
    """The newest decision comes out as it was recorded."""
    found = (await auditor.get("/decisions?limit=5"))["items"]
    made = [await auditor.get(f"/decisions/{one['placementId']}") for one in found]

    assert [one["identical"] for one in made] == [True] * 5
