"""Pages of policies: the list, each in full, the differences of two, and the next one."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Response, UploadFile

from app.allocation.policy.differences import Difference
from app.database.transaction import Transaction
from app.deps import Tx
from app.errors import Conflict, Fault, Invalid
from app.policy import policies
from app.web.language import sentence
from app.web.page import Page, PageIn
from app.web.policy_words import name_of, value_text

router = APIRouter(include_in_schema=False)

SHOWN = 100
LONGEST = 200_000


@router.get("/policies")
async def list_policies(page: PageIn, tx: Tx) -> Response:
    """List the policies, the one that begins last first."""
    return await _show_list(page, tx)


@router.post("/policies")
async def publish(
    page: PageIn,
    tx: Tx,
    document: Annotated[str, Form(max_length=LONGEST)] = "",
    file: UploadFile | None = None,
) -> Response:
    """Publish a policy that was pasted or chosen as a file.

    It begins at the moment that it names, for all providers at once.
    """
    text = document
    if file is not None and file.filename:
        text = (await file.read()).decode("utf-8", errors="replace")
    try:
        published = await policies.publish_policy(tx, _parse(text))
    except Invalid as invalid:
        return await _show_list(page, tx, document=text, faults=invalid.faults)
    except Conflict as conflict:
        return await _show_list(page, tx, document=text, faults=(Fault("", sentence(conflict)),))
    return page.go(f"/policies/{published.row.version}")


@router.get("/policies/differences")
async def compare(
    page: PageIn,
    tx: Tx,
    a: Annotated[str, Query(max_length=100)] = "",
    b: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Show the differences of two policies in words."""
    before, after, found = await policies.compare_policies(tx, a, to=b)
    return page.show(
        "policy_differences.html", before=before, after=after, lines=[_line(one) for one in found]
    )


@router.get("/policies/{id}")
async def show_policy(page: PageIn, tx: Tx, id: str) -> Response:
    """Show a policy in full."""
    published = await policies.find_policy(tx, id)
    text = json.dumps(published.row.document, indent=2, ensure_ascii=False)
    return page.show("policy.html", policy=published, text=text)


async def _show_list(
    page: Page, tx: Transaction, *, document: str = "", faults: tuple[Fault, ...] = ()
) -> Response:
    found = await policies.list_policies(tx, limit=SHOWN, before=None)
    status = 422 if faults else 200
    return page.show(
        "policies.html", status=status, policies=found, document=document, faults=faults
    )


def _parse(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Invalid(Fault(f"/line {error.lineno}", "is not JSON")) from None


def _line(found: Difference) -> tuple[str, str, str, str]:
    """Return a difference: its subject, its kind, and the values before and after."""
    return name_of(found.pointer), found.change, value_text(found.before), value_text(found.after)
