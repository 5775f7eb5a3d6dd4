"""People who sign in: invited, enrolled, and what they then type."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

from app.accounts import invitations, second_factor, sign_ins, staff
from app.accounts.invitations import ChosenCredential
from app.accounts.sessions import NewSession, Visitor
from app.accounts.sign_ins import SIGNING, Device, SignInAttempt
from app.accounts.staff import AccountWanted
from app.database.transaction import Caller, Transaction
from app.events.allowance import Allowance
from app.seal import Keyring
from tests.country import Country

PASSWORD = "een lange dag bij de zee"
DESK = Visitor(
    "192.0.2.1", "a-request", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", admits_demo=True
)


@dataclass(frozen=True)
class Person:
    """A person who has accepted an invitation."""

    country: Country
    account_id: UUID
    name: str
    secret: bytes
    recovery_codes: tuple[str, ...]
    opened: NewSession
    password: str = PASSWORD

    async def code(self, *, step: int = 0) -> str:
        """Return what the authenticator shows by the database's clock, or some steps later."""
        at = await self.country.value("SELECT clock_timestamp()")
        return second_factor.code_at(self.secret, at, step=step)

    async def next_code(self) -> str:
        """Return a code that has not been used, whenever the last was.

        As if half a minute had passed.
        """
        await self.country.rows(
            "UPDATE credentials SET used_step = used_step - 10 WHERE account_id = :id",
            id=self.account_id,
        )
        return await self.code()

    async def proof(self, **changes: str) -> SignInAttempt:
        """Return what this person gives to sign in, on a device of their own that is new."""
        code = changes.pop("code", None) or await self.next_code()
        whole = SignInAttempt(
            self.name, self.password, code, Device.read(None, keyring=keyring(self.country))
        )
        return replace(whole, **changes)


def keyring(country: Country) -> Keyring:
    """Return an installation's keys."""
    return Keyring.parse(country.key)


def begin(country: Country) -> Callable[[], AbstractAsyncContextManager[Transaction]]:
    """Return what opens a transaction to ask who a person is, with the keys as of then."""

    @asynccontextmanager
    async def begun() -> AsyncGenerator[Transaction]:
        async with country.parts.database.transaction(actor=SIGNING) as tx:
            yield replace(tx, keys=keyring(country))

    return begun


async def invited(
    country: Country, name: str, *roles: str, provider: str | None = None, region: str | None = None
) -> staff.NewInvitation:
    """Invite a person, as the operator."""
    provider_id = await country.provider(provider) if provider else None
    async with country.owner.transaction() as tx:
        return await staff.invite(
            tx,
            AccountWanted(frozenset(roles), provider_id, region, None),
            sign_in_name=name,
            embedded=True,
        )


async def accept(
    country: Country, code: str, *, name: str = "", password: str = PASSWORD
) -> Person:
    """Accept an invitation."""
    async with begin(country)() as tx:
        offer = await invitations.offer_factor(tx, code)
        typed = second_factor.code_at(offer.secret, tx.at)
    choice = ChosenCredential(code, offer.sealed, password, typed)
    enrolled = await invitations.accept_invitation(begin(country), choice, visitor=DESK)
    return Person(
        country, enrolled.opened.account_id, name or offer.name, offer.secret, enrolled.recovery_codes, enrolled.opened,
        password,
    )  # fmt: skip


async def person(
    country: Country, *roles: str, name: str = "j.jansen@linde.example", provider: str | None = None,
    region: str | None = None,
) -> Person:  # fmt: skip
    """Return a person who can sign in."""
    return await accept(
        country, (await invited(country, name, *roles, provider=provider, region=region)).code
    )


async def sign_in(
    country: Country, proof: SignInAttempt, *, allowance: Allowance | None = None
) -> NewSession | None:
    """Try to sign in."""
    return await sign_ins.sign_in(
        begin(country), proof, visitor=DESK, allowance=allowance or country.parts.allowance
    )


async def who(country: Country, hashed: bytes) -> Caller | None:
    """Return whom the bearer of what has this hash is taken for."""
    async with country.parts.database.transaction(hashed) as tx:
        return tx.identity
