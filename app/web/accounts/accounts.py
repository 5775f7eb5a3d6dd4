"""Accounts and their roles: invited, changed, disabled and reset by those who keep them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Response
from pydantic import BaseModel, Field, StringConstraints

from app.accounts import account_changes, staff
from app.accounts.staff import AccountWanted, NewInvitation, StaffAccount
from app.api.kit.lists import ListIn, moment_and_id
from app.api.kit.wire import parse_id, parse_optional_id
from app.config import HERE
from app.database.caller import PEOPLE, STAFF, Role
from app.database.transaction import Transaction
from app.deps import Parts, PartsIn, Tx
from app.errors import Invalid
from app.web.dues import read_dues
from app.web.page import Page, PageIn

router = APIRouter(include_in_schema=False)

MOST = 10
"""Changes shown of an account, the newest first."""
Text = Annotated[str, StringConstraints(max_length=400, strip_whitespace=True)]


class AccountForm(BaseModel):
    """The form of an account; a field that was left empty is empty."""

    sign_in_name: Text = Field(default="", repr=False)
    name: Text = ""
    roles: list[Text] = []
    provider: Text = ""
    region: Text = ""

    def account_wanted(self) -> AccountWanted:
        """Return the account that the form asks for."""
        provider_id = parse_id(self.provider) if self.provider else None
        return AccountWanted(
            frozenset(self.roles), provider_id, self.region or None, self.name or None
        )


AccountIn = Annotated[AccountForm, Form()]


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices for an account: roles, providers and regions."""

    roles: tuple[str, ...]
    providers: Mapping[str, str]
    regions: Mapping[str, str]


async def choices(tx: Tx) -> Choices:
    """Return the choices for an account, by name; a coordinator's own provider alone."""
    cards = await tx.snapshots.providers(tx)
    if not tx.caller.has(Role.ADMINISTRATOR):
        own = str(tx.caller.provider)
        return Choices(tuple(role for role in Role if role in STAFF), {own: cards[own].name}, {})
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
class AccountsPage:
    """An administrator's page of accounts, with its transaction and choices."""

    page: Page
    tx: Transaction
    parts: Parts
    known: Choices

    async def person(self, account_id: UUID) -> StaffAccount:
        """Return an account."""
        return await staff.read(self.tx, account_id)

    async def show_invitation(self, invited: NewInvitation) -> Response:
        """Show the link of an invitation, only this once."""
        link = f"{self._address()}/invitation#{invited.code}"
        return self.page.show(
            "account_invited.html",
            person=await self.person(invited.account_id),
            link=link,
            asked=invited.asked,
        )

    def _address(self) -> str:
        """Return where a link leads: what is configured, never what a request says of itself.

        Nothing if that is not known; on this machine itself its own name will do.
        """
        if self.parts.settings.public_url is not None:
            return self.parts.settings.public_url
        url = self.page.request.url
        return f"{url.scheme}://{url.netloc}" if url.hostname in HERE else ""

    def show_form(self, form: AccountForm, *, faults: dict[str, str] | None = None) -> Response:
        """Show the form that invites a person."""
        status = 422 if faults else 200
        return self.page.show(
            "account_new.html", status=status, known=self.known, form=form, faults=faults or {}
        )

    async def show(
        self,
        account_id: UUID,
        *,
        form: AccountForm | None = None,
        faults: dict[str, str] | None = None,
    ) -> Response:
        """Show an account as it stands and what waits for it, or as a form asked for it."""
        person = await self.person(account_id)
        changes = await account_changes.list_changes(self.tx, account_id=account_id, limit=MOST)
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
            changes=[one for one in changes if one.by_administrator],
        )


async def _open_page(page: PageIn, tx: Tx, parts: PartsIn) -> AccountsPage:
    return AccountsPage(page, tx, parts, await choices(tx))


AccountsPageIn = Annotated[AccountsPage, Depends(_open_page)]


@router.get("/accounts")
async def list_accounts(
    accounts: AccountsPageIn,
    part: ListIn,
    provider: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """List the accounts of all providers or of one, the newest first."""
    found = await staff.list_accounts(
        accounts.tx,
        limit=part.limit + 1,
        after=moment_and_id(part),
        provider_id=parse_optional_id(provider or None),
    )
    items, cursor = part.cut(
        found, place=lambda one: (one.row.created_at.isoformat(), str(one.row.id))
    )
    # The first page of administrators, and of nobody else.
    due: Mapping[str, Any] = {}
    if accounts.tx.caller.has(Role.ADMINISTRATOR):
        due = await read_dues(accounts.tx)
    return accounts.page.show(
        "accounts.html",
        people=items,
        cursor=cursor,
        known=accounts.known,
        provider=provider or "",
        **due,
    )


@router.get("/accounts/new")
async def show_new_form(accounts: AccountsPageIn) -> Response:
    """Show the form that invites a person."""
    only = next(iter(accounts.known.providers)) if not accounts.known.regions else ""
    return accounts.show_form(AccountForm(provider=only))


@router.post("/accounts")
async def invite_person(accounts: AccountsPageIn, form: AccountIn) -> Response:
    """Make an account, and show the link of its invitation only this once."""
    try:
        invited = await staff.invite(
            accounts.tx,
            form.account_wanted(),
            sign_in_name=form.sign_in_name,
            embedded=accounts.parts.settings.embedded,
        )
    except Invalid as invalid:
        return accounts.show_form(form, faults=_faults(invalid))
    return await accounts.show_invitation(invited)


@router.get("/accounts/{id}")
async def show_account(accounts: AccountsPageIn, id: str) -> Response:
    """Show an account, with the form that changes it."""
    return await accounts.show(parse_id(id))


@router.post("/accounts/{id}")
async def change_account(accounts: AccountsPageIn, id: str, form: AccountIn) -> Response:
    """Change the roles, the provider, the region and the name of an account."""
    try:
        await staff.change(accounts.tx, parse_id(id), form.account_wanted())
    except Invalid as invalid:
        return await accounts.show(parse_id(id), form=form, faults=_faults(invalid))
    return accounts.page.go(f"/accounts/{parse_id(id)}")


@router.post("/accounts/{id}/disabling")
async def disable_account(accounts: AccountsPageIn, id: str) -> Response:
    """Disable an account, so that it cannot sign in from now on."""
    await staff.disable(accounts.tx, parse_id(id))
    return accounts.page.go(f"/accounts/{parse_id(id)}")


@router.post("/accounts/{id}/enabling")
async def enable_account(accounts: AccountsPageIn, id: str) -> Response:
    """Enable a disabled account again."""
    await staff.enable(accounts.tx, parse_id(id))
    return accounts.page.go(f"/accounts/{parse_id(id)}")


@router.post("/accounts/{id}/reset")
async def reset_account(accounts: AccountsPageIn, id: str) -> Response:
    """Remove password and second factor, and show the link of a new invitation."""
    return await accounts.show_invitation(await staff.reset(accounts.tx, parse_id(id)))


def _faults(invalid: Invalid) -> dict[str, str]:
    return {fault.pointer[1:]: fault.message for fault in invalid.faults}
