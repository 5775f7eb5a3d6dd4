"""Policies: published ahead, in force for everyone from a moment on, and compared."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from app.allocation.policy.differences import Difference, differences
from app.allocation.policy.policy import Policy, PolicyFaults, parse_policy, policy_hash
from app.database import access_log, counters, policies
from app.database.policies import PolicyRow
from app.database.transaction import Transaction
from app.errors import Conflict, Fault, Invalid, Missing
from app.ledger import ledger
from app.reference import ReferenceFiles, load

PUBLISH, POLICY = "publish", "policy"
"""The action and the object as the access log names them."""
TOO_EARLY = (
    f"must lie at least {policies.LEAD.seconds} seconds ahead: "
    "what has been decided is not decided again"
)


@dataclass(frozen=True, slots=True)
class PublishedPolicy:
    """A published policy, and whether it is the one in force."""

    row: PolicyRow
    is_current: bool


async def publish_policy(tx: Transaction, document: object) -> PublishedPolicy:
    """Publish a policy, as an administrator or the operator.

    One that is published already is returned as it is. Raises Invalid with every fault, and
    Conflict if its version or its beginning is another policy's.
    """
    row, is_new = await put_policy(tx, document)
    if is_new:
        await counters.advance(tx, "reference")
        id_ = object_id_of(row)
        entry = (
            tx.caller.entry(PUBLISH, POLICY, id_)
            if tx.identity
            else access_log.of_actor(tx.actor, PUBLISH, POLICY, id_)
        )
        await access_log.add(tx, entry)
    return await _with_state(tx, row)


async def put_policy(
    tx: Transaction, document: object, *, files: ReferenceFiles | None = None
) -> tuple[PolicyRow, bool]:
    """Add a policy that rankings and leaves may cite; return it, and whether it is new.

    This is the only way in. The ledger gets its leaf. Processes hear of it when the head
    `reference` advances. Raises as `publish_policy` does.
    """
    row = policy_row_of(document, files=files or load())
    if await policies.add(tx, row):
        await ledger.record_policy(
            tx, version=row.version, hash_=row.hash, valid_from=row.valid_from
        )
        return row, True
    alike = await policies.alike(tx, row)
    for other in alike:
        if other.hash == row.hash:
            return other, False
    if any(other.version == row.version for other in alike):
        raise Conflict(
            "policy_version_taken",
            "A policy of this version says something else: give this one another.",
        )
    if alike:
        raise Conflict(
            "policy_beginning_taken",
            "Another policy begins at this very moment: let this one begin later.",
        )
    raise Invalid(Fault("/valid_from", TOO_EARLY))


def policy_row_of(document: object, *, files: ReferenceFiles) -> PolicyRow:
    """Return the policy that a document states, as a row; raise Invalid with every fault."""
    policy = parse_document(document)
    if faults := tuple(_unknown_codes(policy, files=files)):
        raise Invalid(*faults)
    stated = cast("dict[str, Any]", document)
    return PolicyRow(policy_hash(stated), policy.version, beginning_of(policy, files=files), stated)


def parse_document(document: object) -> Policy:
    """Return a document as a policy; raise Invalid with every fault."""
    try:
        return parse_policy(document)
    except PolicyFaults as refused:
        raise Invalid(*refused.faults, detail="This is not a policy.") from None


def beginning_of(policy: Policy, *, files: ReferenceFiles) -> datetime:
    """Return the moment in UTC from which a policy is in force; days begin at local midnight."""
    begin = policy.valid_from
    if not isinstance(begin, datetime):
        begin = files.country.midnight(begin)
    return begin.astimezone(UTC)


def _unknown_codes(policy: Policy, *, files: ReferenceFiles) -> Iterator[Fault]:
    """Yield a fault for each code that the country lacks: it would silently never match."""
    known = files.codes_of("features")
    for at, code in enumerate(policy.points.fit.scarce_features):
        if code not in known:
            yield Fault(f"/points/fit/scarce_features/{at}", "is not one of the features")


def object_id_of(row: PolicyRow) -> UUID:
    """Return the id of a policy in the access log: the first half of its hash."""
    return UUID(hex=row.hash.partition(":")[2][:32])


async def list_policies(
    tx: Transaction, *, limit: int, before: datetime | None
) -> list[PublishedPolicy]:
    """Return every policy, the latest to begin first."""
    current = await policies.in_force(tx)
    return [
        PublishedPolicy(row, row.hash == current)
        for row in await policies.list_policies(tx, limit=limit, before=before)
    ]


async def find_policy(tx: Transaction, name: str) -> PublishedPolicy:
    """Return the policy with this version or hash; raise Missing if there is none."""
    row = await policies.find_policy(tx, name if name.isprintable() else "")
    if row is None:
        raise Missing
    return await _with_state(tx, row)


async def compare_policies(
    tx: Transaction, name: str, *, to: str
) -> tuple[PolicyRow, PolicyRow, tuple[Difference, ...]]:
    """Return two policies by version or hash, and how the second differs."""
    before, after = (await find_policy(tx, name)).row, (await find_policy(tx, to)).row
    return before, after, differences(before.document, after.document)


async def _with_state(tx: Transaction, row: PolicyRow) -> PublishedPolicy:
    return PublishedPolicy(row, row.hash == await policies.in_force(tx))
