"""`plek account`: invite the first administrator, or anyone else, from the command line."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import typer

from app.accounts import invitations, staff
from app.accounts.accounts import provider_of
from app.accounts.staff import AccountWanted, NewInvitation
from app.commands.installation import open_installation, say, settings_with
from app.database.caller import Role
from app.database.transaction import Transaction
from app.errors import Conflict, Invalid, OperatorError

WHERE = "/invitation"
"""The page on which an invitation is accepted; its code follows behind a #, which no server is sent
or logs."""
WORDS = {
    "role_needed": (
        "Name at least one --role: intake_worker, coordinator, auditor or administrator."
    ),
    "provider_needed": (
        "The roles intake_worker and coordinator work for a provider: add --provider SLUG."
    ),
    "provider_unused": "--provider is for the roles intake_worker and coordinator.",
    "region_needed": "An auditor sees one region: add --region CODE.",
    "region_unused": "--region is for the role auditor.",
    "region_unknown": "There is no such region.",
    "name_length": "A name has 3 to 200 characters on one line; what colleagues call it, 1 to 80.",
    "name_taken": "Somebody signs in by this name already.",
}


def invite(
    data_dir: Path | None,
    sign_in_name: str,
    *,
    roles: Sequence[Role],
    provider: str | None,
    region: str | None,
    name: str | None,
) -> None:
    """Make an account, and print the end of its invitation's link.

    The link stands alone on the last line of stdout.
    """

    async def act() -> NewInvitation:
        async with installation.transaction(with_keys=True) as tx:
            wanted = AccountWanted(frozenset(roles), await _provider(tx, provider), region, name)
            return await staff.invite(
                tx, wanted, sign_in_name=sign_in_name, embedded=settings.embedded
            )

    settings = settings_with(data_dir)
    with open_installation(settings) as installation:
        try:
            invited = asyncio.run(act())
        except Invalid as invalid:
            raise OperatorError(
                " ".join(WORDS.get(fault.message, fault.message) for fault in invalid.faults)
            ) from None
        except Conflict as conflict:
            raise OperatorError(conflict.detail) from None
    hours = int(invitations.VALID.total_seconds() // 3600)
    say(
        f"Account {invited.account_id} is invited for {hours} hours. Its link is Plek's address "
        "with this behind it,"
    )
    say("shown only now:")
    typer.echo(f"{WHERE}#{invited.code}")


async def _provider(tx: Transaction, slug: str | None) -> UUID | None:
    if slug is None:
        return None
    found = await provider_of(tx, slug)
    if found is None:
        raise OperatorError(f"There is no provider {slug}.")
    return found
