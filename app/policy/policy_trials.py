"""Trials: recent rankings made again under a draft of a policy, told in counts."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from app.allocation.policy.trial import Trial, TrialTally
from app.allocation.ranking.versions import UnknownRules
from app.allocation.values import Register
from app.database import access_log
from app.database.transaction import Transaction
from app.errors import Erased
from app.policy import policies
from app.ranking import rankings
from app.ranking.rankings import RankingBasis, unseal_basis

TRY = "try"
"""The action as the access log names it."""
Progress = Callable[[int, int], None]
"""Called with how many rankings have been made again, of how many."""


@dataclass(frozen=True, slots=True)
class TrialReport:
    """What a draft would have changed, and how many rankings could not be made again."""

    trial: Trial
    passed_over: int


async def try_draft(
    tx: Transaction, document: object, *, last: int, progress: Progress | None = None
) -> TrialReport:
    """Rank the last referrals again under a draft, as the operator, by their own rules.

    Each is ranked as it was ranked last. Nothing is written but a log entry, which names the
    referrals whose inputs were unsealed. Raises Invalid for a document that is no policy.
    """
    draft = policies.parse_document(document)
    ids = await rankings.list_newest(tx, most=last)
    tally, passed_over = TrialTally(), 0
    kept: dict[str, Register] = {}
    for done, id_ in enumerate(ids, start=1):
        if (recorded := await _inputs_of(tx, id_, kept=kept)) is None:
            passed_over += 1
        else:
            tally.add(recorded.rank_again(), recorded.rank_again(draft))
        if progress:
            progress(done, len(ids))
    looked_at = tuple(sorted(tx.looks.referral_ids))
    await access_log.add(
        tx, access_log.of_actor(tx.actor, TRY, policies.POLICY, None, referral_ids=looked_at)
    )
    return TrialReport(tally.trial(), passed_over)


async def _inputs_of(
    tx: Transaction, id_: UUID, *, kept: dict[str, Register]
) -> RankingBasis | None:
    """Return what a ranking was made from; None if that cannot be read."""
    found = await rankings.read_sealed(tx, id_)
    if found is None:
        return None
    try:
        return await unseal_basis(tx, *found, kept=kept)
    except (Erased, UnknownRules):
        return None
