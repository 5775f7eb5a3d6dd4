"""Accounts and roles.

Administrators invite, change, disable and reset those of others, and see no client.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Response
from pydantic import BaseModel, Field, StringConstraints

from app.accounts import staff
from app.accounts.staff import AccountWanted, NewInvitation, StaffAccount
from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.wire import parse_id, parse_optional_id
from app.database.caller import PEOPLE, Role
from app.database.transaction import Transaction
from app.deps import Parts, PartsIn, Tx
from app.errors import Invalid
from app.web.page import Page, PageIn

router = APIRouter(include_in_schema=False)

Text = Annotated[str, StringConstraints(max_length=400, strip_whitespace=True)]


class AccountForm(BaseModel):
    """An account as a form has it; what was left empty is empty."""

    sign_in_name: Text = Field(default="", repr=False)
    name: Text = ""
    roles: list[Text] = []
    provider: Text = ""
    region: Text = ""

    def wanted(self) -> AccountWanted:
        """Return what the account is to be."""
        provider_id = parse_id(self.provider) if self.provider else None
        return AccountWanted(
            frozenset(self.roles), provider_id, self.region or None, self.name or None
        )


AccountIn = Annotated[AccountForm, Form()]


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen for an account."""

    roles: tuple[str, ...]
    providers: Mapping[str, str]
    regions: Mapping[str, str]


async def choices(tx: Tx) -> Choices:
    """Return what can be chosen, by the names that people know."""
    cards = await tx.snapshots.providers(tx)
    regions = (await tx.snapshots.reference(tx)).regions
    return Choices(
        tuple(role for role in Role if role in PEOPLE),
        {id_: card.name for id_, card in sorted(cards.items(), key=lambda item: item[1].name)},
        {
            code: region.name
            for code, region in sorted(regions.items(), key=lambda item: item[1].name)
        },
    )


@dataclass(frozen=True, slots=True)
class Desk:
    """What an administrator's page of accounts is made with."""

    page: Page
    tx: Transaction
    parts: Parts
    known: Choices

    async def person(self, account_id: UUID) -> StaffAccount:
        """Return an account."""
        return await staff.read(self.tx, account_id)

    async def invited(self, invited: NewInvitation) -> Response:
        """Show the link of an invitation, this once."""
        url = self.page.request.url
        link = f"{url.scheme}://{url.netloc}/invitation#{invited.code}"
        return self.page.show(
            "account_invited.html", person=await self.person(invited.account_id), link=link
        )

    def blank(self, form: AccountForm, *, faults: dict[str, str] | None = None) -> Response:
        """Show the form with which somebody is invited."""
        status = 422 if faults else 200
        return self.page.show(
            "account_new.html", status=status, known=self.known, form=form, faults=faults or {}
        )

    def show(
        self,
        person: StaffAccount,
        *,
        form: AccountForm | None = None,
        faults: dict[str, str] | None = None,
    ) -> Response:
        """Show an account, as it stands or as somebody wanted it to be."""
        row = person.row
        stands = AccountForm(
            name=row.name or "",
            roles=row.roles,
            provider=str(row.provider_id or ""),
            region=row.region or "",
        )
        return self.page.show(
            "account.html",
            status=422 if faults else 200,
            person=person,
            own=self.tx.caller.account_id == row.id,
            known=self.known,
            form=form or stands,
            faults=faults or {},
        )


async def _desk(page: PageIn, tx: Tx, parts: PartsIn) -> Desk:
    return Desk(page, tx, parts, await choices(tx))


DeskIn = Annotated[Desk, Depends(_desk)]


@router.get("/accounts")
async def listed(
    desk: DeskIn, part: ListIn, provider: Annotated[str | None, Query(max_length=40)] = None
) -> Response:
    """List the accounts, the newest first.

    Those of one provider where that is asked for.
    """
    found = await staff.list_accounts(
        desk.tx,
        limit=part.limit + 1,
        after=moment_and_id(part),
        provider_id=parse_optional_id(provider or None),
    )
    items, cursor = part.cut(
        found, place=lambda one: (one.row.created_at.isoformat(), str(one.row.id))
    )
    return desk.page.show(
        "accounts.html", people=items, cursor=cursor, known=desk.known, provider=provider or ""
    )


@router.get("/accounts/new")
async def blank(desk: DeskIn) -> Response:
    """Show the form with which somebody is invited."""
    return desk.blank(AccountForm())


@router.post("/accounts")
async def invite(desk: DeskIn, form: AccountIn) -> Response:
    """Make an account, and show the link of its invitation this once."""
    try:
        invited = await staff.invite(
            desk.tx,
            form.wanted(),
            sign_in_name=form.sign_in_name,
            embedded=desk.parts.settings.embedded,
        )
    except Invalid as invalid:
        return desk.blank(form, faults=_faults(invalid))
    return await desk.invited(invited)


@router.get("/accounts/{id}")
async def read(desk: DeskIn, id: str) -> Response:
    """Show an account, and what can be done with it."""
    return desk.show(await desk.person(parse_id(id)))


@router.post("/accounts/{id}")
async def change(desk: DeskIn, id: str, form: AccountIn) -> Response:
    """Change the roles of an account, for whom it works, and what it is called."""
    try:
        await staff.change(desk.tx, parse_id(id), form.wanted())
    except Invalid as invalid:
        return desk.show(await desk.person(parse_id(id)), form=form, faults=_faults(invalid))
    return desk.page.go(f"/accounts/{parse_id(id)}")


@router.post("/accounts/{id}/disabling")
async def disable(desk: DeskIn, id: str) -> Response:
    """Let an account in no more, from now on."""
    await staff.disable(desk.tx, parse_id(id))
    return desk.page.go(f"/accounts/{parse_id(id)}")


@router.post("/accounts/{id}/enabling")
async def enable(desk: DeskIn, id: str) -> Response:
    """Let a disabled account in again."""
    await staff.enable(desk.tx, parse_id(id))
    return desk.page.go(f"/accounts/{parse_id(id)}")


@router.post("/accounts/{id}/reset")
async def reset(desk: DeskIn, id: str) -> Response:
    """Take password and second factor away, and show the link of a new invitation this once."""
    return await desk.invited(await staff.reset(desk.tx, parse_id(id)))


def _faults(invalid: Invalid) -> dict[str, str]:
    return {fault.pointer[1:]: fault.message for fault in invalid.faults}
