"""Policies on the wire: everybody may read by which numbers places are found; administrators publish new ones."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import Field, JsonValue

from app.allocation.policy.differences import Difference
from app.api.kit.once import OnceIn
from app.api.kit.pages import Page, PageIn
from app.api.kit.wire import Out, single
from app.database.policies import PolicyRow
from app.deps import Tx
from app.policy import policies
from app.policy.policies import PublishedPolicy

router = APIRouter(tags=["Policies"])

Document = Annotated[
    dict[str, Any],
    Body(
        description="The policy, its fields in snake_case; docs/allocation.md lists them.",
        openapi_examples={
            "part": {
                "summary": "The beginning of one",
                "value": {"version": "nl-2", "radii_km": [50]},
            }
        },
    ),
]


class KnownPolicyOut(Out):
    """A policy that was published; it never changes."""

    version: str = Field(examples=["nl-demo-3"])
    hash: str = Field(description="What rankings and leaves cite.")
    valid_from: datetime = Field(description="From when it is in force, until the next one is.")
    current: bool = Field(description="Whether it is in force now.")

    @classmethod
    def of(cls, published: PublishedPolicy) -> "KnownPolicyOut":
        """Show a policy without its content."""
        row = published.row
        return cls(
            version=row.version,
            hash=row.hash,
            valid_from=row.valid_from,
            current=published.is_current,
        )


class PublishedPolicyOut(KnownPolicyOut):
    """A policy with everything that it says."""

    document: dict[str, JsonValue] = Field(
        description="As it was published; its hash is that of its canonical JSON."
    )

    @classmethod
    def of(cls, published: PublishedPolicy) -> "PublishedPolicyOut":
        """Show a policy."""
        known = KnownPolicyOut.of(published)
        return cls(**known.model_dump(), document=published.row.document)


class PolicyList(Out):
    """A page of policies."""

    items: list[KnownPolicyOut]
    next_cursor: str | None


class NamedPolicyOut(Out):
    """Which policy it is."""

    version: str
    hash: str

    @classmethod
    def of(cls, row: PolicyRow) -> "NamedPolicyOut":
        """Name a policy."""
        return cls(version=row.version, hash=row.hash)


class DifferenceOut(Out):
    """One value that the two policies do not have in common; an array is one value."""

    pointer: str = Field(examples=["/points/solidarity/stay"])
    change: str = Field(description="changed, added or removed")
    before: JsonValue = Field(
        description="What held before; for a value that was added, what held by itself."
    )
    after: JsonValue = Field(
        description="What holds after; for a value that was removed, what holds by itself."
    )

    @classmethod
    def of(cls, found: Difference) -> "DifferenceOut":
        """Show a difference."""
        return cls.model_validate(
            {
                "pointer": found.pointer,
                "change": found.change,
                "before": found.before,
                "after": found.after,
            }
        )


class DifferencesOut(Out):
    """What a policy says differently from another."""

    policy: NamedPolicyOut
    to: NamedPolicyOut
    differences: list[DifferenceOut]


@router.post(
    "/policies",
    status_code=201,
    response_model=PublishedPolicyOut,
    operation_id="publishPolicy",
    summary="Publish a policy",
)
async def publish(document: Document, tx: Tx, once: OnceIn) -> Response:
    """Publish a policy that begins later, for everybody at once. One that was published already is answered alike."""
    published = await policies.publish_policy(tx, document)
    return await once.keep(tx, PublishedPolicyOut.of(published).reply(201))


@router.get(
    "/policies", response_model=PolicyList, operation_id="listPolicies", summary="All policies"
)
async def listed(tx: Tx, page: PageIn) -> Response:
    """List the policies, the one that begins last first."""
    found = await policies.list_policies(tx, limit=page.limit + 1, before=_before(page))
    items, cursor = page.cut(found, place=lambda policy: (policy.row.valid_from.isoformat(),))
    return PolicyList(
        items=[KnownPolicyOut.of(policy) for policy in items], next_cursor=cursor
    ).reply()


@router.get(
    "/policies/{id}",
    response_model=PublishedPolicyOut,
    operation_id="readPolicy",
    summary="One policy",
)
async def read(id: str, request: Request, tx: Tx) -> Response:
    """Read a policy; its version or its hash names it."""
    return single(PublishedPolicyOut.of(await policies.find_policy(tx, id)), request)


@router.get(
    "/policies/{id}/differences",
    response_model=DifferencesOut,
    operation_id="comparePolicies",
    summary="What another policy says differently",
)
async def compare(
    id: str,
    tx: Tx,
    to: Annotated[str, Query(max_length=100, description="Version or hash of the other policy.")],
) -> Response:
    """Tell every value that the other policy changes, adds or takes away."""
    before, after, found = await policies.compare_policies(tx, id, to=to)
    return DifferencesOut(
        policy=NamedPolicyOut.of(before),
        to=NamedPolicyOut.of(after),
        differences=[DifferenceOut.of(one) for one in found],
    ).reply()


def _before(page: Page) -> datetime | None:
    return None if page.after is None else datetime.fromisoformat(page.after[0])
