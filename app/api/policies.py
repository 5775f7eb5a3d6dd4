"""Policies on the wire: administrators publish them, and every account may read them."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import Field, JsonValue

from app.api.kit.lists import ListIn, ListRequest
from app.api.kit.once import OnceIn
from app.api.kit.wire import Out, aliases_from, single
from app.deps import Tx
from app.policy import policies

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


class KnownPolicyOut(Out, alias_generator=aliases_from("row")):
    """A policy that was published; it never changes."""

    version: str = Field(examples=["nl-demo-3"])
    hash: str = Field(description="What rankings and leaves cite.")
    valid_from: datetime = Field(description="From when it is in force, until the next one is.")
    current: bool = Field(validation_alias="is_current", description="Whether it is in force now.")


class PublishedPolicyOut(KnownPolicyOut):
    """A policy with everything that it says."""

    document: dict[str, JsonValue] = Field(
        description="As it was published; its hash is that of its canonical JSON."
    )


class PolicyList(Out):
    """A page of policies."""

    items: list[KnownPolicyOut]
    next_cursor: str | None


class NamedPolicyOut(Out):
    """Which policy it is."""

    version: str
    hash: str


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


class DifferencesOut(Out):
    """What a policy says differently from another."""

    policy: NamedPolicyOut
    to: NamedPolicyOut
    differences: list[DifferenceOut]


@router.post(
    "/policies",
    status_code=201,
    response_model=PublishedPolicyOut,
    summary="Publish a policy",
    description="Publish a policy that begins later, for everybody at once. One that was published "
    "already is answered alike.",
)
async def publish_policy(document: Document, tx: Tx, once: OnceIn) -> Response:
    """Publish a policy that begins later."""
    published = await policies.publish_policy(tx, document)
    return await once.keep(tx, PublishedPolicyOut.of(published).reply(201))


@router.get("/policies", response_model=PolicyList, summary="All policies")
async def list_policies(tx: Tx, page: ListIn) -> Response:
    """List the policies, the one that begins last first."""
    found = await policies.list_policies(tx, limit=page.limit + 1, before=_before(page))
    shown = page.cut(found, place=lambda policy: (policy.row.valid_from.isoformat(),))
    return PolicyList.of(shown).reply()


@router.get(
    "/policies/{id}",
    response_model=PublishedPolicyOut,
    summary="One policy",
)
async def read_policy(id: str, request: Request, tx: Tx) -> Response:
    """Read a policy; its version or its hash names it."""
    return single(PublishedPolicyOut.of(await policies.find_policy(tx, id)), request)


@router.get(
    "/policies/{id}/differences",
    response_model=DifferencesOut,
    summary="What another policy says differently",
)
async def compare_policies(
    id: str,
    tx: Tx,
    to: Annotated[str, Query(max_length=100, description="Version or hash of the other policy.")],
) -> Response:
    """Tell every value that the other policy changes, adds or takes away."""
    before, after, found = await policies.compare_policies(tx, id, to=to)
    return DifferencesOut(
        policy=NamedPolicyOut.of(before),
        to=NamedPolicyOut.of(after),
        differences=[DifferenceOut.of(difference) for difference in found],
    ).reply()


def _before(page: ListRequest) -> datetime | None:
    return None if page.after is None else datetime.fromisoformat(page.after[0])
