"""What is sent from a page and done once.

However often it is sent again, after a lost connection or a new sign-in.
"""

import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from app.api.kit.once import LONGEST, AlreadyAnswered, IdempotentCall
from app.database.transaction import Transaction
from app.deps import Tx
from app.errors import Conflict, Fault, Invalid, Mismatch, Refusal, Stale
from app.reference import load
from app.web.credential import FIELD

KEY = "key"
"""The field in which a form carries its idempotency key."""
LONGEST_MOMENT = len("2026-01-31T23:59:59.999999")
SAID = (Conflict, Invalid, Stale, Mismatch)
"""Refusals that are part of the work: the page goes on, and says what to do now."""


def new_key() -> str:
    """Return an idempotency key for a form that is being shown."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class Sent:
    """A form that was sent.

    Its fields in their order, and what makes sending it again safe.
    """

    fields: Sequence[tuple[str, str]]
    once: IdempotentCall

    def get(self, name: str) -> str:
        """Return a field, or nothing where it was not sent."""
        return next((value for sent, value in self.fields if sent == name), "")

    def optional(self, name: str) -> str | None:
        """Return a field; None where it was left empty."""
        return self.get(name).strip() or None

    def future_moment(self, name: str, *, after: datetime) -> datetime | None:
        """Return a moment that lies ahead, by the country's clock; None if left empty.

        Refuse anything else. A form's fields know no time zone.
        """
        typed = self.optional(name)
        if typed is None:
            return None
        try:
            moment = datetime.fromisoformat(typed[:LONGEST_MOMENT])
            moment = moment.replace(tzinfo=load().country.zone)
        except (ValueError, OverflowError):
            raise Invalid(code="no_moment", detail="That is not a day and a time.") from None
        if moment <= after:
            raise Invalid(
                Fault("/at", "must lie ahead"),
                code="not_ahead",
                detail="That moment has passed already.",
            )
        return moment


async def _sent(request: Request, _tx: Tx) -> Sent:
    form = await request.form()
    fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    key = next((value for name, value in fields if name == KEY), "")
    if not (1 <= len(key) <= LONGEST and key.isprintable()):
        raise Invalid
    asked = [request.url.path, [pair for pair in fields if pair[0] not in {FIELD, KEY}]]
    fingerprint = hashlib.sha256(json.dumps(asked).encode()).digest()
    return Sent(
        fields,
        IdempotentCall(request.scope["route"].path, key, fingerprint),
    )


SentIn = Annotated[Sent, Depends(_sent)]


@dataclass(frozen=True, slots=True)
class ActOutcome:
    """What came of an act.

    On which referral, with which ranking to show now, and what the page says of it.
    """

    referral: str
    ranking: str | None = None
    said: str = ""

    @property
    def path(self) -> str:
        """The page that shows it."""
        return f"/find/{self.referral}" + (f"?ranking={self.ranking}" if self.ranking else "")

    def kept(self) -> Response:
        """Return it as it is kept for repeats: ids and a word, nothing of anybody."""
        return Response(json.dumps(asdict(self)).encode())


async def do_once(
    tx: Transaction,
    sent: Sent,
    act: Callable[[], Awaitable[ActOutcome]],
    *,
    kept: bool = False,
) -> ActOutcome | Refusal:
    """Do an act, or find out what came of it the first time.

    A refusal takes back all of it, and is returned.

    `kept`: the act itself keeps its outcome for repeats.
    """
    try:
        async with tx.attempt():
            outcome = await act()
            if not kept:
                await sent.once.keep(tx, outcome.kept(), referral_id=UUID(outcome.referral))
            return outcome
    except SAID as refusal:
        try:
            first = await sent.once.replay(tx)
        except Mismatch as other:
            return other
        if first is not None:
            return ActOutcome(**json.loads(bytes(first.body)))
        if isinstance(refusal, AlreadyAnswered):
            raise
        return refusal
