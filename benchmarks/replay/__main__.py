"""`python -m benchmarks.replay`.

Real arrivals, time compressed, through a fresh country; exit 1 if a check fails.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn
from sqlalchemy import text

from app.accounts import accounts
from app.accounts.store import account_rows
from app.database.caller import Role
from app.database.transaction import Database, Transaction
from app.reference import load
from benchmarks.ground import Ground, Served, opened_ground, serving_plek
from benchmarks.replay import checks
from benchmarks.replay.http import Connection
from benchmarks.replay.journey import Office, Scene, Worker
from benchmarks.replay.plans import Plan, draw, read_times
from benchmarks.replay.tally import Tally, flow_table, summary

ARRIVALS = (
    Path(__file__).resolve().parents[2].parent / "shared" / "data" / "demand" / "arrivals.csv"
)
WORKERS = 8
SAMPLE = 100
BOTH = (Role.INTAKE_WORKER, Role.COORDINATOR)
LAPSE = text("""
WITH referral AS (
  UPDATE referrals SET held_until = clock_timestamp() WHERE hold_id = :hold_id
), claim AS (
  UPDATE claims SET claimed_until = clock_timestamp() WHERE hold_id = :hold_id
)
UPDATE holds SET expires_at = clock_timestamp() WHERE id = :hold_id AND resolved_at IS NULL
""")


def main() -> int:
    """Replay, tell, and check."""
    told = _arguments()
    file: Path = told.arrivals
    if not file.is_file():
        print(
            f"There is no {file.name} in {file.parent}: the replay needs the recorded arrivals "
            "(--arrivals FILE)."
        )
        return 2
    plans = list(draw(load(), count=len(read_times(file)[: told.limit]), seed=told.seed))
    print(
        f"Replaying {len(plans):,} arrivals from {file.name} with {told.workers} workers, seed "
        f"{told.seed}."
    )
    tally = Tally()
    with opened_ground() as ground, serving_plek(ground.folder) as served:
        offices = ground.act(open_offices)
        began = time.monotonic()
        asyncio.run(_replay(ground, served, plans, offices, tally=tally, workers=told.workers))
        took = time.monotonic() - began
        print(
            f"\n{summary(tally)}\n\n{flow_table(tally, {region.code: region.name for region in load().regions})}\n"
        )
        print(f"{len(plans):,} arrivals in {took:.0f} seconds. What must be true:")
        failed = _check(ground, tally)
        failed |= not _said(
            "a sample of rankings replays identically", asyncio.run(_replayed(served, tally))
        )
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument(
        "--arrivals", type=Path, default=ARRIVALS, metavar="FILE", help="CSV with a column `time`"
    )
    parser.add_argument(
        "--limit", type=int, default=None, metavar="N", help="only the first N arrivals"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="the same seed draws the same households"
    )
    parser.add_argument(
        "--workers", type=int, default=WORKERS, metavar="N", help="how many work at once"
    )
    return parser.parse_args()


async def open_offices(tx: Transaction) -> list[Office]:
    """Give every provider an intake desk and a coordinator, each with its account and token."""
    offices: list[Office] = []
    for slug in await account_rows.slugs(tx):
        id_ = await account_rows.provider_id(tx, slug)
        rows = await tx.rows(
            text("SELECT region FROM provider_regions WHERE provider_id = :id"), {"id": id_}
        )
        intake, coordinator = [
            (await accounts.issue_token(tx, roles=[role], provider=slug, region=None, days=1)).token
            for role in BOTH
        ]
        offices.append(
            Office(str(id_), slug, frozenset(row.region for row in rows), intake, coordinator)
        )
    return offices


async def _replay(
    ground: Ground,
    served: Served,
    plans: Sequence[Plan],
    offices: Sequence[Office],
    *,
    tally: Tally,
    workers: int,
) -> None:
    owning = asyncio.Lock()
    async with ground.installation.owner() as database:
        with _bar(len(plans)) as bar:
            scene = Scene(
                plans=iter(plans),
                offices={office.id: office for office in offices},
                region_of={town.code: town.region for town in load().municipalities},
                lapse=lambda hold_id: _lapse(database, owning, hold_id),
                tally=tally,
                advance=bar,
            )
            connections = [Connection(served.port) for _ in range(workers)]
            await asyncio.gather(*(Worker(scene, connection).work() for connection in connections))
            for connection in connections:
                await connection.close()
    tally.counts["waiting at the end"] = len(scene.waiting)


async def _lapse(database: Database, owning: asyncio.Lock, hold_id: str) -> None:
    async with owning, database.transaction() as tx:
        await tx.run(LAPSE, {"hold_id": UUID(hold_id)})


@contextmanager
def _bar(total: int) -> Generator[Callable[[], None]]:
    console = Console(stderr=True)
    with Progress(
        *Progress.get_default_columns(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("Arrivals", total=total)
        yield lambda: bar.advance(task)


def _check(ground: Ground, tally: Tally) -> bool:
    """Ask the database; return whether something is wrong."""
    asked: dict[str, checks.Check] = {
        "no place was claimed twice at any time": checks.no_place_twice,
        f"every acknowledged placement is there ({len(tally.acknowledged):,})": checks.acknowledged(
            tally.acknowledged
        ),
        "one leaf for each arrival and departure in another region": checks.one_leaf_each,
        "the ledger's indexes have no gaps": checks.no_gaps,
        "no household inside one of its danger zones": checks.nobody_in_danger(ground.keyring()),
    }
    said = [_said(what, ground.act(check)) for what, check in asked.items()]
    return not all(said)


async def _replayed(served: Served, tally: Tally) -> str | None:
    connection = Connection(served.port)
    sample = random.Random(0).sample(tally.rankings, min(SAMPLE, len(tally.rankings)))
    differ = 0
    for ranking_id, token in sample:
        reply = await connection.ask("POST", f"/rankings/{ranking_id}/replays", token=token)
        differ += reply.expect(200).body["identical"] is not True
    await connection.close()
    return f"{differ} of {len(sample)} differ" if differ else None


def _said(what: str, wrong: str | None) -> bool:
    print(
        f"  {'ok    ' if wrong is None else 'FAILED'}  {what}"
        + ("" if wrong is None else f": {wrong}")
    )
    return wrong is None


if __name__ == "__main__":
    sys.exit(main())
