"""The work beside the requests: the outbox, webhooks, and work that recurs."""

import asyncio
import signal
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TypeAlias

import structlog

from app import logs, metrics
from app.accounts import account_changes, reviews, sessions
from app.bookkeeping import AT_ONCE_S, UNFOUNDED_S, release_figures, seal_quarters, sign_tree
from app.budgets import budgets
from app.consistency import consistency
from app.database import answers, deliveries, outbox, pulse, timers
from app.database.connections.bounds import for_work
from app.database.transaction import RELAY, WORKER, Database, Transaction
from app.deps import Parts
from app.dues import dues
from app.errors import Conflict, OperatorError, Unavailable
from app.ledger.signed_file import SignedTreeFile
from app.notices import postman
from app.notices.mail_server import MailServer
from app.notices.postman import Postman
from app.placing import agreements, erasure, holds
from app.placing.erasure_list import ErasureList
from app.placing.swaps import proposals
from app.ranking import peaks, vacancies
from app.registry import availability
from app.registry import proposals as site_proposals
from app.shares import fair_shares
from app.webhooks.courier import Courier
from app.webhooks.destinations import Destinations
from app.webhooks.post import Post

LOOK_S = 0.5
"""How often each process looks at the outbox although the doorbell did not ring."""
GATHER_S = 0.01
"""How long the relay lets committed rows gather, so that under load one numbering serves many."""
TIMERS_S = 1.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
SWEEP_S = 2.0
VACANCIES_S = 1.0
"""How soon desks hear of places that came free for those who wait."""
DUES_S = 1.0
"""How soon those whose work it is hear of a due whose moment has come."""
PRUNE_S = 600.0
PEAKS_S = 2.0
RETENTION_S = 3600.0
MOVED_S = 5.0
ACCOUNTS_S = 10.0
CONSISTENCY_S = 86_400.0
"""A day between two comparisons of the records."""
REVIEWS_S = 3600.0
ZONES_S = 900.0

HURRY_S = 3.0
"""How long what waits for the database may go on once the process is told to stop: a server ends
what has not been answered some seconds later, without a word."""
ROUND_S = 30.0
"""How soon a loop comes round again that waits for nobody, whatever the database does."""
LOOK_AT_SELF_S = 15.0

Work: TypeAlias = Callable[[Transaction], Awaitable[float]]
"""Work that recurs, in a transaction of its own; returns in how many seconds it is due again."""

log = structlog.get_logger()


async def sweep(tx: Transaction) -> float:
    """Note the holds and swaps that have run out."""
    await holds.sweep_holds(tx)
    await proposals.sweep_swaps(tx)
    return SWEEP_S


async def step(
    tx: Transaction,
) -> float:
    """Take the next step of the availability counts that all may see.

    The day's first step also shows how regions stand.
    """
    if tx.reference_version == 0:
        return UNFOUNDED_S
    await availability.refresh_counts(tx)
    await fair_shares.show_balances(tx)
    return (await tx.snapshots.reference(tx)).policy.availability_step_minutes * 60.0


async def prune(tx: Transaction) -> float:
    """Delete rows that are kept for a while only."""
    await outbox.prune(tx)
    await deliveries.prune(tx)
    await answers.prune(tx)
    await budgets.prune_uses(tx)
    await postman.prune_mails(tx)
    await vacancies.prune_vacancies(tx)
    await dues.prune_dues(tx)
    await peaks.prune_counts(tx)
    await agreements.prune_move_agreements(tx)
    await sessions.forget_ended(tx)
    return PRUNE_S


async def ring(tx: Transaction) -> float:
    """Ring the dues whose moment has come."""
    if tx.reference_version == 0:
        return UNFOUNDED_S
    return AT_ONCE_S if await dues.ring_dues(tx) else DUES_S


async def look_for_chances(
    tx: Transaction,
) -> float:
    """Rank some of those who wait for places that came free."""
    if tx.reference_version == 0:
        return UNFOUNDED_S
    return AT_ONCE_S if await vacancies.rank_next_waiting(tx) else VACANCIES_S


async def look_where_zones_ended(tx: Transaction) -> float:
    """Rank those who wait where a danger zone has ended."""
    if tx.reference_version == 0:
        return UNFOUNDED_S
    return AT_ONCE_S if await vacancies.rank_where_zones_ended(tx) else ZONES_S


async def plan(
    tx: Transaction,
) -> float:
    """Make the plans for a peak that administrators asked for."""
    if made := await peaks.make_counts(tx):
        log.info("peak_planned", asked=made)
    return PEAKS_S


async def retain(tx: Transaction, *, listed: ErasureList) -> float:
    """Erase the referrals whose retention has ended.

    None if they cannot be put on the list.
    """
    if tx.reference_version == 0:
        return UNFOUNDED_S
    try:
        erased = await erasure.erase_overdue(tx, listed=listed)
    except OperatorError as error:
        log.error("nothing_erased", reason=str(error))  # noqa: TRY400 - its sentence says it all
        return RETENTION_S
    if erased:
        log.info("erased", cause=erasure.RETENTION, referrals=erased)
    return AT_ONCE_S if erased == erasure.AT_ONCE else RETENTION_S


async def recheck_moved(tx: Transaction) -> float:
    """Compare everybody at sites that have moved with the danger."""
    if tx.reference_version == 0:
        return UNFOUNDED_S
    await site_proposals.recheck_moved(tx)
    return MOVED_S


async def let_changes_take_effect(tx: Transaction) -> float:
    """Let changes of accounts take effect whose moment has come."""
    return AT_ONCE_S if await account_changes.let_due_take_effect(tx) else ACCOUNTS_S


async def compare_records(tx: Transaction) -> float:
    """Compare what is recorded twice."""
    if tx.reference_version == 0:
        return UNFOUNDED_S
    return AT_ONCE_S if (await consistency.check_records(tx)).more else CONSISTENCY_S


async def review_accounts(tx: Transaction) -> float:
    """Review a week of what accounts did, once it is due."""
    if tx.reference_version == 0:
        return UNFOUNDED_S
    return AT_ONCE_S if await reviews.review_next_week(tx) else REVIEWS_S


def recurring_work(data_dir: Path) -> Mapping[str, Work]:
    """Return all work that recurs, for a process with this data folder and these keys."""
    return {
        "sweep": sweep,
        "step": step,
        "prune": prune,
        "retention": partial(retain, listed=ErasureList.of(data_dir)),
        "dues": ring,
        "moved_sites": recheck_moved,
        "account_changes": let_changes_take_effect,
        "consistency": compare_records,
        "reviews": review_accounts,
        "vacancies": look_for_chances,
        "zones": look_where_zones_ended,
        "peaks": plan,
        "monitor": release_figures,
        "totals": seal_quarters,
        "checkpoints": partial(sign_tree, signed=SignedTreeFile.of(data_dir)),
    }


@asynccontextmanager
async def work_during_block(
    parts: Parts, *, recurring: Mapping[str, Work] | None = None
) -> AsyncGenerator[None]:
    """Do all of this work while the block lasts; end open streams on a request to stop."""
    ours = recurring_work(parts.settings.data_dir)
    timed = ours if recurring is None else recurring
    courier = Courier(parts.database, parts.keyring, Post(Destinations.of(parts.settings)))
    mails = _postman(parts)
    turns: Mapping[str, Callable[[], Awaitable[None]]] = {
        "relay": lambda: relay(parts),
        "read": parts.bus.read,
        "beat": parts.bus.beat,
        "doorbell": lambda: parts.bus.doorbell.answer(parts.bus.note_position),
        "timers": lambda: recur(parts.database, timed),
        "webhooks": courier.turn,
        "mails": mails.turn,
    }
    tasks = [
        asyncio.create_task(
            _forever(turn, name=name, came_round=_sign_of_life(parts, name)), name=name
        )
        for name, turn in turns.items()
    ]

    def stop() -> None:
        parts.bus.close()
        parts.database.hurry(HURRY_S)

    try:
        with _on_stop(stop):
            yield
    finally:
        parts.bus.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await courier.close()


def _postman(parts: Parts) -> Postman:
    server = MailServer.of(parts.settings)
    return Postman(parts.database, parts.keyring, server, public_url=parts.settings.public_url)


async def work(parts: Parts) -> None:
    """Do nothing but this work, until told to stop."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with work_during_block(parts):
        while not stopped.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), LOOK_AT_SELF_S)
            if not await parts.vitals.recovers(parts.database):
                raise OperatorError("This worker does not recover by itself: start it again.")


async def relay(parts: Parts) -> None:
    """Wait for rows of the outbox, half a second at most; number them, and ring."""
    database = parts.database
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_S):
            await database.written.wait()
    told = database.written.is_set()
    database.written.clear()
    if told:
        await asyncio.sleep(GATHER_S)
    metrics.pool(*pulse.pool_use(database))
    metrics.streams(parts.bus.stream_count)
    metrics.lost_lines(logs.take_lost_lines())
    before = parts.bus.position
    try:
        newest, numbered = await _number(database, told=told)
    except BaseException:
        if told:
            database.written.set()
        raise
    if parts.bus.restart_if_behind(newest, before=before):
        log.error("outbox_fell_back")
    parts.bus.note_position(newest)
    if numbered:
        database.written.set()  # there may be more than one numbering takes
        await parts.bus.doorbell.ring(newest)


async def _number(database: Database, *, told: bool) -> tuple[int, bool]:
    async with database.transaction(actor=RELAY) as tx:
        glance = None if told else await outbox.glance(tx)
        if glance is not None and not glance.waiting:
            return glance.newest, False
        newest = await outbox.number(tx)
        return (await outbox.newest(tx), False) if newest is None else (newest, True)


async def recur(database: Database, recurring: Mapping[str, Work]) -> None:
    """Lease a piece of work that is due and do it; wait a second if there is none."""
    async with database.transaction(actor=WORKER) as tx:
        held = await timers.lease(tx, recurring.keys())
    if held is None:
        await asyncio.sleep(TIMERS_S)
        return
    try:
        async with database.transaction(actor=WORKER, lasting=True) as tx:
            # If the lease ran out meanwhile, another process does it too: all of it may be
            # done twice.
            await timers.done(tx, held, again_in_seconds=await recurring[held.name](tx))
    except Exception:
        # Work that fails must not keep the other timers waiting; if this fails too, the lease runs
        # out by itself.
        with suppress(Exception):
            async with database.transaction(actor=WORKER) as tx:
                await timers.postpone(tx, held, seconds=LONGEST_PAUSE_S)
        raise


def _sign_of_life(parts: Parts, loop: str) -> Callable[[], None]:
    """Return what notes that a loop came round; the others wait for what may never come."""
    within = {
        "relay": ROUND_S + parts.settings.answer_s,
        "beat": ROUND_S,
        "timers": ROUND_S + for_work(parts.settings).whole_s,
    }
    if loop not in within:
        return lambda: None
    return partial(parts.vitals.note, loop, within_s=within[loop])


async def _forever(
    turn: Callable[[], Awaitable[None]], *, name: str, came_round: Callable[[], None]
) -> None:
    """Take turn after turn, whatever happens.

    A failure is logged once, until it is over.
    """
    pause = FIRST_PAUSE_S
    while True:
        came_round()
        try:
            await turn()
        except Exception as error:
            if pause == FIRST_PAUSE_S:
                known = isinstance(error, Unavailable | Conflict)
                log.warning(
                    "loop_failing",
                    loop=name,
                    kind=type(error).__name__,
                    exc_info=None if known else error,
                )
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
        else:
            if pause != FIRST_PAUSE_S:
                log.info("loop_recovered", loop=name)
            pause = FIRST_PAUSE_S


@contextmanager
def _on_stop(act: Callable[[], None]) -> Generator[None]:
    """Call a function when the process is told to stop, too.

    A server waits for its open streams before it ends its lifespan.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(act)
        server = before[signal.Signals(number)]
        if callable(server):
            server(number, frame)

    changed = [number for number, server in before.items() if callable(server)]
    for number in changed:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in changed:
            if signal.getsignal(number) is stop:
                signal.signal(number, before[number])
