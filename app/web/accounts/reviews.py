"""The page of the weekly review: accounts unlike others, and what came of asking."""

from typing import Any

from fastapi import APIRouter, Response

from app.accounts import reviews
from app.api.accounts.reviews import AnswerWanted, finding_out
from app.api.kit.wire import parse_id
from app.database.caller import Role
from app.database.transaction import Transaction
from app.deps import Tx
from app.errors import Conflict, Fault, Invalid
from app.reference import load
from app.web.page import PageIn
from app.web.places.forms import FormIn, parse

router = APIRouter(include_in_schema=False)

MOST = 60
"""Findings shown, newest first: six weeks of as many as there can be."""


@router.get("/access-reviews")
async def list_findings(page: PageIn, tx: Tx) -> Response:
    """Show the accounts that the weekly review names."""
    return page.show("access_reviews.html", **await _values(tx))


@router.post("/access-reviews/{id}")
async def answer_finding(id: str, page: PageIn, tx: Tx, form: FormIn) -> Response:
    """Say what came of asking; of two who do so at once the first is kept."""
    wanted, faults = parse(AnswerWanted, {"answer": form.one("answer")})
    if wanted is None:
        raise Invalid(Fault("/answer", next(iter(faults.values()))))
    try:
        await reviews.answer_finding(tx, parse_id(id), answer=wanted.answer)
    except Conflict as refusal:
        shown = await _values(tx)
        shown["refusal"] = refusal
        return page.show("access_reviews.html", status=409, **shown)
    return page.go("/access-reviews")


async def _values(tx: Transaction) -> dict[str, Any]:
    return {
        "stand": await reviews.read_stand(tx),
        "findings": [finding_out(row) for row in await reviews.list_findings(tx, limit=MOST)],
        "administrator": tx.caller.has(Role.ADMINISTRATOR),
        "providers": await tx.snapshots.providers(tx),
        "codes": load().codes,
        "refusal": None,
    }
