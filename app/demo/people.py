"""Ready accounts for the demo country, one a role.

Signed in by a button, and in Plek's own database only.
"""

from uuid import UUID, uuid5

from app.accounts import accounts, sessions
from app.accounts.sessions import NewSession, Visitor
from app.database.caller import Role
from app.database.transaction import Transaction
from app.errors import Missing
from app.reference import load

NAMED = UUID("5b0f8f0a-3f0e-5d5c-9d3c-6a1f6f0e2b11")
"""Of a role this makes the id of its account, which is the same in every demo."""


def roles() -> tuple[Role, ...]:
    """Return the roles of the demo's people, in the order of their buttons."""
    return tuple(Role(role) for role in load().demo.people)


async def make_ready(tx: Transaction) -> None:
    """Make the accounts that do not exist yet, when the demo is shown."""
    for role, region in load().demo.people.items():
        await accounts.add_demo_account(tx, _id(role), role=Role(role), region=region)


async def sign_in(tx: Transaction, role: str, *, visitor: Visitor) -> NewSession:
    """Open a session for the demo's account of a role; Missing without a demo of our own."""
    known = visitor.admits_demo and role in load().demo.people
    opened = (
        await sessions.open_session(tx, _id(role), visitor=visitor, by=sessions.DEMO)
        if known
        else None
    )
    if opened is None:
        raise Missing
    return opened


def _id(role: str) -> UUID:
    return uuid5(NAMED, role)
