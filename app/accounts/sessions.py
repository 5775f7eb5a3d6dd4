"""Sessions: opened after a proof of identity, kept alive, listed, and ended.

A session is a kind of token. A browser keeps 256 random bits in a cookie; the token's hash is that
of `session:` and those bits, so that no bearer header opens a session and no cookie a token.
"""

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from app.accounts.store import sign_in_rows, vouching_rows
from app.accounts.store.sign_in_rows import SessionLimits, SessionRow
from app.accounts.store.vouching_rows import VouchedProof
from app.allocation.policy.policy import Policy
from app.database import access_log
from app.database.caller import GRANTED, AccessEntry
from app.database.transaction import Transaction
from app.errors import Missing

COOKIE_BYTES = 32
KEPT = timedelta(days=7)
"""How long a session is remembered after its end."""
SIGN_IN, SIGN_OUT, ACCOUNT = "sign_in", "sign_out", "account"
"""The actions and the object as the access log names them."""
PASSWORD, INVITATION, DEMO = "password", "invitation", "demo"
SECOND_FACTOR = "second_factor"
NEW_PASSWORD, NEW_SECOND_FACTOR = "new_password", "new_second_factor"
SYSTEMS = (
    ("android", "Android"),
    ("ios", "iPhone"),
    ("ios", "iPad"),
    ("windows", "Windows"),
    ("mac", "Mac OS"),
    ("linux", "Linux"),
)
BROWSERS = (("edge", "Edg"), ("firefox", "Firefox"), ("chrome", "Chrome"), ("safari", "Safari"))
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where an attempt to sign in comes from."""

    source: str | None
    """The network address, for the access log."""
    request_id: str | None
    agent: str = ""
    """The user agent of the browser; only its class is kept."""
    admits_demo: bool = False


@dataclass(frozen=True, slots=True)
class NewSession:
    """A new session; its cookie is shown this once, and only its hash is kept."""

    cookie: str = field(repr=False)
    session_id: UUID
    account_id: UUID


def session_hash(cookie: str) -> bytes:
    """Return the hash under which the token of a session is kept."""
    return hashlib.sha256(b"session:" + cookie.encode()).digest()


async def open_session(
    tx: Transaction, account_id: UUID, *, visitor: Visitor, by: str
) -> NewSession | None:
    """Open a session for an account whose owner has proved their identity, and log it.

    This is the only way in: a check of another kind of proof (OpenID Connect) would end here too.
    `by` names the kind of proof. Returns None if the account may not come in.
    """
    cookie = secrets.token_urlsafe(COOKIE_BYTES)
    policy = (await tx.snapshots.reference(tx)).policy
    session_id = await sign_in_rows.open_session(
        tx,
        account_id,
        hashed=session_hash(cookie),
        span=_span(policy),
        device=device_class(visitor.agent),
        admits_demo=visitor.admits_demo,
    )
    if session_id is None:
        return None
    await access_log.add(
        tx, replace(entry(visitor, SIGN_IN, account_id), account_id=account_id, purpose=by)
    )
    return NewSession(cookie, session_id, account_id)


async def open_vouched_session(
    tx: Transaction, proof: VouchedProof, *, visitor: Visitor
) -> NewSession | None:
    """Open the session that a colleague vouched for, by the hash of its code; else None."""
    cookie = secrets.token_urlsafe(COOKIE_BYTES)
    policy = (await tx.snapshots.reference(tx)).policy
    session_id = await vouching_rows.open_session(
        tx,
        proof,
        hashed=session_hash(cookie),
        idle=_span(policy).idle,
        device=device_class(visitor.agent),
        admits_demo=visitor.admits_demo,
    )
    return None if session_id is None else NewSession(cookie, session_id, proof.account_id)


def entry(
    visitor: Visitor, action: str, account_id: UUID | None, *, outcome: str = GRANTED
) -> AccessEntry:
    """Return the log entry about a person who is not signed in; it names only an account."""
    return AccessEntry(
        action=action,
        outcome=outcome,
        account_id=None,
        roles=(),
        provider_id=None,
        purpose=None,
        object_type=ACCOUNT,
        object_id=account_id,
        referral_ids=(),
        source=visitor.source,
        request_id=visitor.request_id,
    )


async def keep_session(tx: Transaction, hashed: bytes) -> None:
    """Restart the idle time of the caller's session; streams and refreshes do not count."""
    policy = (await tx.snapshots.reference(tx)).policy
    await sign_in_rows.keep_session(tx, hashed, idle=_span(policy).idle)


async def list_sessions(tx: Transaction) -> list[SessionRow]:
    """Return the caller's live sessions, the one seen last first."""
    return await sign_in_rows.sessions_of(tx, tx.caller.account_id)


async def recovery_codes_left(tx: Transaction) -> int | None:
    """Return how many recovery codes the caller has left; None without a second factor."""
    if await sign_in_rows.read(tx, tx.caller.account_id) is None:
        return None
    return await sign_in_rows.recovery_codes_left(tx, tx.caller.account_id)


async def end_session(tx: Transaction, session_id: UUID) -> None:
    """End one of the caller's sessions at once; Missing if it has ended or is another's."""
    if not await sign_in_rows.end_sessions(tx, tx.caller.account_id, only=session_id):
        raise Missing
    await access_log.add(tx, tx.caller.entry(SIGN_OUT, ACCOUNT, tx.caller.account_id))


async def end_all_sessions(tx: Transaction) -> int:
    """End all sessions of the caller at once, on every device."""
    ended = await sign_in_rows.end_sessions(tx, tx.caller.account_id)
    await access_log.add(
        tx, tx.caller.entry(SIGN_OUT, ACCOUNT, tx.caller.account_id, purpose="everywhere")
    )
    return ended


async def forget_ended(tx: Transaction) -> None:
    """Forget the sessions and invitations that ended some time ago."""
    await sign_in_rows.prune(tx, kept=KEPT)


def device_class(agent: str) -> str:
    """Return the class of a browser and system, which its owner recognises: `firefox-linux`."""
    system = next((code for code, word in SYSTEMS if word in agent), OTHER)
    browser = next((code for code, word in BROWSERS if word in agent), OTHER)
    return f"{browser}-{system}"


def _span(policy: Policy) -> SessionLimits:
    return SessionLimits(
        timedelta(minutes=policy.session_idle_minutes), timedelta(hours=policy.session_hours)
    )
