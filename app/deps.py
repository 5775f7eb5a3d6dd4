"""Everything a request needs before its act: parts, caller, transaction."""

import hashlib
import ipaddress
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import Depends, Request

from app.config import Settings
from app.database import access_log, caller
from app.database.caller import ANYONE, AccessEntry, Caller, Role
from app.database.reference import Reference
from app.database.transaction import Database, Transaction
from app.errors import Forbidden, TooMany, Unauthenticated
from app.events.allowance import Allowance, network_of
from app.events.bus import Bus
from app.events.link import Link
from app.health import Vitals
from app.reference import ReferenceFiles
from app.seal import Keyring

log = structlog.get_logger()

SOURCES = 1_000
"""How many addresses that requests come from are kept as they were read."""

REFERENCE: ContextVar[Reference] = ContextVar("reference")
"""The country's data while a request's input is checked against it."""

PROVIDERS: ContextVar[Collection[str]] = ContextVar("providers")
"""The ids of all providers, likewise, if a route asked for them with `providers_known`."""


@dataclass(frozen=True, slots=True)
class Route:
    """A row in a table of routes: who may use the route, and its name in the access log."""

    method: str
    path: str
    roles: frozenset[Role]
    action: str = ""
    """Empty for a route that shows nothing about anyone: the log has no entry of it."""
    object_type: str = ""
    granted: bool = True
    """Whether the log has an entry of it when it is granted; it always has one of a refusal."""


def table_of(*routes: Route) -> Mapping[tuple[str, str], Route]:
    """Return the rows of a table of routes by method and path, each of them once."""
    table = {(route.method, route.path): route for route in routes}
    if len(table) != len(routes):
        message = "A route has two rows."
        raise ValueError(message)
    return table


@dataclass(frozen=True, slots=True)
class Parts:
    """All parts of one process of the service, joined in `main.join` only."""

    settings: Settings
    database: Database
    keyring: Keyring
    files: ReferenceFiles
    link: Link
    bus: Bus
    allowance: Allowance
    vitals: Vitals = field(default_factory=Vitals)


def parts_of(request: Request) -> Parts:
    """Return the parts of the service that answers a request."""
    parts: Parts = request.app.state.parts
    return parts


def token_hash(request: Request) -> bytes:
    """Return the hash of a request's credential, if it has one.

    The credential is a bearer token, or what its application accepts instead.
    """
    credential: Callable[[Request], bytes] = getattr(request.app.state, "credential", bearer_hash)
    return credential(request)


def bearer_hash(request: Request) -> bytes:
    """Return the SHA-256 of the bearer token; None without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return b""
    return hashlib.sha256(token.strip().encode()).digest()


def roles_for(request: Request) -> frozenset[Role]:
    """Return the roles that may use the matched route; none for a route without a row."""
    if (row := row_of(request)) is None:
        raise Forbidden
    return row.roles


def row_of(request: Request) -> Route | None:
    """Return the row of the matched route in its application's table."""
    table: Mapping[tuple[str, str], Route] = getattr(request.app.state, "routes", {})
    route = request.scope.get("route")
    return None if route is None else table.get((request.method, route.path))


def admit(request: Request, tx: Transaction) -> Caller:
    """Return the caller if the matched route's row admits them; else refuse."""
    if tx.caller.roles.isdisjoint(roles_for(request)):
        raise Forbidden
    request.state.admitted = tx.caller
    return tx.caller


def admitted_caller(request: Request) -> Caller | None:
    """Return the caller that a route has let in, also after the transaction has ended.

    Only a page that shows a refusal needs this: within a transaction, `tx.caller` says who asks.
    """
    return getattr(request.state, "admitted", None)


def bearer_transaction(request: Request) -> AbstractAsyncContextManager[Transaction]:
    """Open a transaction as the bearer of a request's token, or as nobody."""
    return parts_of(request).database.transaction(
        token_hash(request),
        source=source_of(request),
        request_id=getattr(request.state, "request_id", None),
    )


def source_of(request: Request) -> str | None:
    """Return the network address that a request came from, if it is one."""
    client = request.scope.get("client")
    return _address(client[0]) if client else None


@lru_cache(SOURCES)
def _address(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


@asynccontextmanager
async def transaction(request: Request) -> AsyncGenerator[Transaction]:
    """Open the request's one transaction.

    It commits before the reply leaves, and a refusal rolls it back.

    A token that this process knows spends its own allowance before the database is asked. Any other
    is looked up first: until then a good one and a made-up one are the same bytes, and whatever is
    counted for them is counted for both. Only then does a good one spend its own, and nobody their
    source's.
    """
    parts, hashed = parts_of(request), token_hash(request)
    open_to_all = roles_for(request) == ANYONE
    if not hashed and not open_to_all:
        raise Unauthenticated
    key = hashed.hex()
    known = parts.allowance.knows(key)
    if known or not hashed:
        await _spend(parts, key or network_of(source_of(request)))
    try:
        async with bearer_transaction(request) as tx:
            borne = tx.identity is not None
            if hashed and not known and (open_to_all or borne):
                await _spend(parts, key if borne else network_of(source_of(request)))
            if not open_to_all:
                admit(request, tx)
            # The input of the route is validated after this, in the same context.
            REFERENCE.set(await parts.database.snapshots.reference(tx))
            yield tx
            log_granted(tx, request)
    except Unauthenticated:
        if hashed:
            await _slow_down(request)
        raise


def log_granted(tx: Transaction, request: Request) -> None:
    """Log what the caller saw, with the commit of its transaction: no entry, no answer."""
    row = row_of(request)
    if row is None or not row.action or not row.granted:
        return
    seen = tx.looks.referral_ids
    object_id = _object_id(request)
    if object_id is None and row.object_type == "referral" and len(seen) == 1:
        object_id = next(iter(seen))  # a referral that was registered in this request
    entry = tx.caller.entry(
        row.action, row.object_type, object_id, purpose=tx.looks.purpose, referral_ids=seen
    )
    access_log.add_last(tx, entry)


async def log_refused(request: Request) -> None:
    """Log a refusal in a transaction of its own, as the refused one is rolled back.

    If that fails the refusal stands: it shows nothing.
    """
    row = row_of(request)
    if row is None or not row.action or getattr(request.state, "logged", False):
        return
    try:
        async with bearer_transaction(request) as tx:
            await access_log.add(tx, _refusal_entry(request, row, tx.identity))
    except Exception:
        log.exception("refusal_not_logged")


def _refusal_entry(request: Request, row: Route, known: Caller | None) -> AccessEntry:
    return AccessEntry(
        action=row.action,
        outcome=caller.REFUSED,
        account_id=known.account_id if known else None,
        roles=tuple(sorted(known.roles)) if known else (),
        provider_id=known.provider_id if known else None,
        purpose=None,
        object_type=row.object_type,
        object_id=_object_id(request),
        referral_ids=(),
        source=source_of(request),
        request_id=getattr(request.state, "request_id", None),
    )


def _object_id(request: Request) -> UUID | None:
    try:
        return UUID(request.path_params.get("id", ""))
    except ValueError:
        return None


async def _spend(parts: Parts, key: str) -> None:
    if retry_after := await parts.allowance.spend(key):
        raise TooMany(retry_after=retry_after)


async def _slow_down(request: Request) -> None:
    """Count a token that opens nothing; tell a source with many of them to wait.

    The source is told at once and no connection is held open, as connections that wait are an
    attacker's aim. Each try costs one look-up by an index, over the limit as well: a good token has
    to be found even if others send bad ones from the same address, and 256 random bits are not
    guessed at any speed. Floods are for the proxy in front.
    """
    if retry_after := await parts_of(request).allowance.count_failure(source_of(request)):
        raise TooMany(retry_after=retry_after) from None


async def current_transaction(request: Request) -> Transaction:
    """Return the transaction that was opened for a request."""
    tx: Transaction = request.state.tx
    return tx


Tx = Annotated[Transaction, Depends(current_transaction)]


async def providers_known(tx: Tx) -> None:
    """Let a route's input be checked against the list of providers."""
    PROVIDERS.set(await tx.snapshots.providers(tx))


# FastAPI sends what is not `async` to another thread and waits for it: dearer than what this does.
async def _parts(request: Request) -> Parts:
    return parts_of(request)


PartsIn = Annotated[Parts, Depends(_parts)]
