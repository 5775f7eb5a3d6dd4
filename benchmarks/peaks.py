"""A peak: 200 referrals and 1,000 free places at once, beside the bare solver."""

import statistics
import time
from collections.abc import Callable
from http.client import HTTPConnection

import numpy as np
from scipy.optimize import linear_sum_assignment  # pyright: ignore[reportUnknownVariableType] - it ships no types
from sqlalchemy import text

from app.allocation.peaks.peaks import MOST, PeakReferral, plan
from app.database.transaction import Transaction
from app.ranking import peaks
from app.ranking.store import peak_rows
from app.referrals import referrals
from app.referrals.store import referral_rows
from benchmarks import cases
from benchmarks.cases import Desk
from benchmarks.figures import Line, limited
from benchmarks.ground import Ground, opened_ground, serving_plek

ROUNDS = 3
FREE = 1_000
"""Places that are free: a peak over an empty country is more work than one over a full one."""
PLAN_BAR_S, ROUTE_BAR_S = 1.0, 10.0
"""By far the most of the route's time is the 200 rankings, each recorded so that it can be
replayed."""
SEED = 400


def measure(*, rounds: int = ROUNDS) -> list[Line]:
    """Measure the plan beside the bare solver in turn, and the whole of `POST /v1/peak-plans`."""
    with opened_ground() as ground:
        desk = cases.open_desks(ground)[0]
        ground.act(_end_all)
        cases.add_cases(ground, (desk,), count=MOST, seed=SEED)
        cases.enlarge(ground, more=1)
        ground.act(_free_some)
        ground.owner("VACUUM ANALYZE")
        askers, free = _asking(ground, desk)
        lawful = sum(len(asker.choices) for asker in askers)
        print(
            f"peaks: {len(askers)} referrals, {sum(free.values()):,} free places, {lawful:,} "
            "lawful offers"
        )
        bare, planned = _compared(askers, free, rounds=rounds)
        with serving_plek(ground.folder) as served:
            route = statistics.median(
                _seconds(lambda: _post(served.port, desk)) for _ in range(rounds)
            )
    what = f"plan for {len(askers)} referrals, {sum(free.values()):,} free places"
    return [
        Line(
            what,
            bare=f"{bare:.3f} s",
            plek=f"{planned:.3f} s",
            ratio=planned / bare,
            bar=f"< {PLAN_BAR_S:g} s",
            aim="",
            met=planned < PLAN_BAR_S,
            reached_aim=None,
        ),
        limited(
            "the same over HTTP: ranked, planned, recorded", value=route, most=ROUTE_BAR_S, unit="s"
        ),
    ]


async def _end_all(tx: Transaction) -> None:
    await tx.run(text("UPDATE referrals SET status = 'ended' WHERE status = 'open'"))


async def _free_some(tx: Transaction) -> None:
    await tx.run(
        text("""
        UPDATE claims SET kind = NULL, hold_id = NULL, placement_id = NULL, claimed_until = '-infinity'
        WHERE place_id IN (SELECT place_id FROM claims ORDER BY claimed_until, place_id LIMIT :free)
        """),
        {"free": FREE},
    )


def _asking(ground: Ground, desk: Desk) -> tuple[list[PeakReferral], dict[str, int]]:
    """Return the desk's referrals with all that is lawful for each, and what is free."""

    async def read(tx: Transaction) -> tuple[list[PeakReferral], dict[str, int]]:
        reference, snapshot = await tx.snapshots.reference(tx), await tx.snapshots.register(tx)
        found = (await referral_rows.list_waiting(tx, desk.provider_id))[:MOST]
        opened = [referrals.unseal(tx, row) for row in found]
        standings = await peak_rows.read_situations(
            tx, [one.id for one in opened], rankings_per_hour=1000
        )
        ranked, _ = peaks.rank_and_plan(opened, standings, reference, snapshot, tx.at)
        return [one.asker for one in ranked], dict(standings.free)

    return ground.act(read)


def _compared(
    askers: list[PeakReferral], free: dict[str, int], *, rounds: int
) -> tuple[float, float]:
    """Return the times of the bare solver and of the plan, which take turns."""
    table = _table(askers, free)

    def bare() -> None:
        linear_sum_assignment(table)

    times = [(_seconds(bare), _seconds(lambda: plan(askers, free))) for _ in range(rounds)]
    return statistics.median(one for one, _ in times), statistics.median(
        other for _, other in times
    )


def _table(
    askers: list[PeakReferral], free: dict[str, int]
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the points of each referral at each free place, as costs.

    What is not lawful costs the most by far.
    """
    places = [group for group, count in sorted(free.items()) for _ in range(count)]
    scores = [{choice.group: choice.offer.score for choice in asker.choices} for asker in askers]
    return np.array([[-float(row.get(group, -(10**6))) for group in places] for row in scores])


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _post(port: int, desk: Desk) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/v1/peak-plans", headers={"Authorization": f"Bearer {desk.token}"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 201:
        message = f"The plan was answered with {answer.status}."
        raise RuntimeError(message)
