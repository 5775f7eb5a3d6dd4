"""Accounts and tokens that the operator of an installation gives and takes away."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import get_close_matches
from uuid import UUID, uuid4

from app.accounts.store import account_rows
from app.config import program
from app.database.caller import AUDITORS, PROVIDER_ACCOUNTS, STAFF, Role
from app.database.transaction import Transaction
from app.errors import OperatorError
from app.reference import load

TOKEN_BYTES = 32
LONGEST_DAYS = 730
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class NewToken:
    """A new token, shown this once: only its hash is kept."""

    token: str = field(repr=False)
    token_id: UUID
    account_id: UUID
    expires_at: datetime


async def issue_token(
    tx: Transaction,
    *,
    roles: Collection[Role],
    provider: str | None,
    region: str | None,
    days: int,
    embedded: bool = True,
) -> NewToken:
    """Make an account with these roles, and its token; `provider` is a slug, `region` a code.

    If the database holds the demo country, the account is for the demo alone. In a database that
    Plek did not start itself (not `embedded`) such an account would open nothing, so none is made.
    """
    _check(roles, provider=provider, region=region, days=days)
    shown = await is_demo_shown(tx) is True
    if shown and not embedded:
        raise OperatorError(
            "This database holds the demo country, and DATABASE_URL is set: no tokens are made for "
            "it here, and none made elsewhere are taken. Start with an empty database."
        )
    if region is not None and not await account_rows.region_exists(tx, region):
        raise OperatorError(f"There is no region {region}; `GET /v1/regions` lists them.")
    provider_id = None if provider is None else await _provider(tx, provider)
    token = f"plek_{secrets.token_urlsafe(TOKEN_BYTES)}"
    issued = NewToken(token, uuid4(), uuid4(), tx.at + timedelta(days=days))
    await account_rows.add(
        tx,
        issued.account_id,
        roles=sorted(set(roles)),
        provider_id=provider_id,
        region=region,
        demo=shown,
    )
    await account_rows.add_token(
        tx,
        issued.token_id,
        account_id=issued.account_id,
        hashed=hashlib.sha256(token.encode()).digest(),
        expires_at=issued.expires_at,
    )
    return issued


async def give_name(tx: Transaction, account_id: UUID, *, name: str) -> None:
    """Give an account its name at work, by which colleagues choose who may see a referral."""
    wanted = name.strip()
    if not (1 <= len(wanted) <= LONGEST_NAME and wanted.isprintable()):
        raise OperatorError(
            f"--name is what it is called at work, in 1 to {LONGEST_NAME} characters on one line."
        )
    await account_rows.set_name(tx, account_id, wanted)


async def revoke_token(tx: Transaction, token_id: str) -> None:
    """End a token at once; nothing happens if it has ended before."""
    try:
        known = await account_rows.revoke_token(tx, UUID(token_id))
    except ValueError:
        known = False
    if not known:
        raise OperatorError(
            f"There is no token with this id; `{program()} token` printed it when it made the "
            "token."
        )


async def provider_slugs(tx: Transaction) -> list[str]:
    """Return the slug of every provider, in order."""
    return await account_rows.slugs(tx)


async def provider_of(tx: Transaction, slug: str) -> UUID | None:
    """Return the id of the provider with a slug."""
    return await account_rows.provider_id(tx, slug)


async def add_demo_account(tx: Transaction, account_id: UUID, *, role: Role, region: str) -> None:
    """Make the account of a role in the demo country, unless it is there.

    An account for a provider belongs to the first provider of the region, by slug.
    """
    if await account_rows.exists(tx, account_id):
        return
    await account_rows.add(
        tx,
        account_id,
        roles=[role],
        provider_id=await account_rows.provider_in(tx, region) if role in STAFF else None,
        region=region if role == Role.AUDITOR else None,
        demo=True,
    )


async def is_demo_shown(tx: Transaction) -> bool | None:
    """Whether the database holds the demo country; None if it has no providers yet."""
    found = set(await account_rows.slugs(tx))
    invented = {slug_of(name) for name in load().demo.providers}
    return found == invented if found else None


def slug_of(name: str) -> str:
    """Return the slug of an invented provider."""
    return "-".join(name.lower().split())


def _check(roles: Collection[Role], *, provider: str | None, region: str | None, days: int) -> None:
    """Refuse what the tables would refuse too, in words that help."""
    working = sorted(PROVIDER_ACCOUNTS.intersection(roles))
    if not roles:
        raise OperatorError(f"Name at least one --role: {', '.join(Role)}.")
    if not 1 <= days <= LONGEST_DAYS:
        raise OperatorError(f"--days must be from 1 to {LONGEST_DAYS}.")
    if working and provider is None:
        raise OperatorError(f"The role {working[0]} works for a provider: add --provider SLUG.")
    if not working and provider is not None:
        raise OperatorError(
            "--provider is for the roles intake_worker, coordinator and client_system."
        )
    _check_region(roles, region=region)


def _check_region(roles: Collection[Role], *, region: str | None) -> None:
    auditing = not AUDITORS.isdisjoint(roles)
    if auditing and region is None:
        raise OperatorError("An auditor sees one region: add --region CODE.")
    if not auditing and region is not None:
        raise OperatorError("--region is for the role auditor.")


async def _provider(tx: Transaction, slug: str) -> UUID:
    found = await account_rows.provider_id(tx, slug)
    if found is not None:
        return found
    known = await account_rows.slugs(tx)
    if not known:
        raise OperatorError(
            f"There are no providers yet: import them with `{program()} import providers FILE`."
        )
    near = get_close_matches(slug, known, n=3) or known[:3]
    raise OperatorError(f"There is no provider {slug}; there is, for example, {', '.join(near)}.")
