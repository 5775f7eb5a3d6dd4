"""What a request needs before its act: the parts of the service, who is asking, and an open transaction."""

import hashlib
import ipaddress
from collections.abc import AsyncGenerator, Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.config import Settings
from app.errors import Forbidden, TooMany, Unauthenticated
from app.events.allowance import Allowance
from app.events.bus import Bus
from app.events.link import Link
from app.reference import ReferenceFiles
from app.seal import Keyring
from app.services.caller import Caller, Role
from app.store.database import Database, Identity, Transaction
from app.store.reference import Reference

ANYONE: frozenset[Role] = frozenset()
"""The rule of a route that needs no token."""

REFERENCE: ContextVar[Reference] = ContextVar("reference")
"""The country's data while a request's input is being checked against it."""

PROVIDERS: ContextVar[Collection[str]] = ContextVar("providers")
"""The ids of all providers, likewise, where a route asked for them with `providers_known`."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that one process of the service is made of; put together in `main.create_app` only."""

    settings: Settings
    database: Database
    keyring: Keyring
    files: ReferenceFiles
    link: Link
    bus: Bus
    allowance: Allowance


def parts_of(request: Request) -> Parts:
    """Return the parts of the service that answers this request."""
    parts: Parts = request.app.state.parts
    return parts


def token_hash(request: Request) -> bytes:
    """Return the SHA-256 of the bearer token, or nothing where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return b""
    return hashlib.sha256(token.strip().encode()).digest()


def rule_of(request: Request) -> frozenset[Role]:
    """Return which roles may use the route that was matched; a route without a rule is open to nobody."""
    rules: Mapping[tuple[str, str], frozenset[Role]] = request.app.state.access
    try:
        return rules[request.method, request.scope["route"].path]
    except KeyError:
        raise Forbidden from None


def caller_of(request: Request, identity: Identity | None) -> Caller:
    """Return the caller if the matched route's rule lets them in; else refuse."""
    if identity is None:
        raise Unauthenticated
    if identity.roles.isdisjoint(rule_of(request)):
        raise Forbidden
    return Caller(
        account_id=identity.account_id,
        roles=identity.roles,
        provider_id=identity.provider_id,
        region=identity.region,
        source=source_of(request),
        request_id=getattr(request.state, "request_id", None),
    )


def source_of(request: Request) -> str | None:
    """Return the network address that a request came from, where it is one."""
    host = request.client.host if request.client else ""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


async def transaction(request: Request) -> AsyncGenerator[Transaction]:
    """Open the request's one transaction; it commits before the reply leaves, and rolls back on any refusal."""
    parts = parts_of(request)
    hashed = token_hash(request)
    open_to_all = rule_of(request) == ANYONE
    if not hashed and not open_to_all:
        raise Unauthenticated
    if retry_after := await parts.allowance.spend(hashed.hex() or source_of(request) or ""):
        raise TooMany(retry_after=retry_after)
    async with parts.database.entered(hashed) as tx:
        if not open_to_all:
            request.state.caller = caller_of(request, tx.identity)
        # The input of the route is validated after this, in the same context.
        REFERENCE.set(await parts.database.snapshots.reference(tx))
        yield tx


Tx = Annotated[Transaction, Depends(transaction, scope="function")]


async def providers_known(tx: Tx) -> None:
    """Let the input of a route be checked against the providers that there are."""
    PROVIDERS.set((await tx.snapshots.register(tx)).providers)


# FastAPI sends what is not `async` to another thread and waits for it: dearer than the whole of what these do.
async def _caller(request: Request, _tx: Tx) -> Caller:
    caller: Caller = request.state.caller
    return caller


async def _parts(request: Request) -> Parts:
    return parts_of(request)


CallerIn = Annotated[Caller, Depends(_caller)]
PartsIn = Annotated[Parts, Depends(_parts)]
