"""Acts of a page: a form that is sent, and an act that is done once.

The same form may be sent again, after a lost connection or a new sign-in.
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
from pydantic import TypeAdapter, ValidationError

from app.api.kit.once import LONGEST, AlreadyAnswered, IdempotentCall
from app.database.transaction import Transaction
from app.deps import Tx
from app.errors import Conflict, Fault, Invalid, Mismatch, Missing, Refusal, Stale
from app.reference import load
from app.web.credential import FIELD

KEY = "key"
"""The field in which a form carries its idempotency key."""
LONGEST_MOMENT = len("2026-01-31T23:59:59.999999")
EXPECTED = (Conflict, Invalid, Stale, Mismatch)
"""Refusals that are part of the work: the page shows them, with what to do now."""


def new_key() -> str:
    """Return an idempotency key for a form of a page."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class SentForm:
    """A form that was sent: its fields in their order, and the call that makes a repeat safe."""

    fields: Sequence[tuple[str, str]]
    once: IdempotentCall

    def get(self, name: str) -> str:
        """Return the value of a field; empty if it was not sent."""
        return next((value for sent, value in self.fields if sent == name), "")

    def optional(self, name: str) -> str | None:
        """Return the value of a field; None if it was left empty."""
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


async def _read_form(request: Request, _tx: Tx) -> SentForm:
    form = await request.form()
    fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    key = next((value for name, value in fields if name == KEY), "")
    if not (1 <= len(key) <= LONGEST and key.isprintable()):
        raise Invalid
    asked = [request.url.path, [pair for pair in fields if pair[0] not in {FIELD, KEY}]]
    fingerprint = hashlib.sha256(json.dumps(asked).encode()).digest()
    return SentForm(
        fields,
        IdempotentCall(request.scope["route"].path, key, fingerprint),
    )


SentIn = Annotated[SentForm, Depends(_read_form)]


@dataclass(frozen=True, slots=True)
class ActOutcome:
    """The outcome of an act: its referral, the ranking to show now, and a word for it."""

    referral: str
    ranking: str | None = None
    said: str = ""

    @classmethod
    def on_row(
        cls, row_of: UUID, referral: str, *, said: str, ranking: str | None = None
    ) -> "ActOutcome":
        """Return the outcome of an act on a row of a referral; Missing if of another referral."""
        if str(row_of) != referral:
            raise Missing
        return cls(referral, ranking=ranking, said=said)

    @property
    def path(self) -> str:
        """The path of the page that shows the outcome."""
        return f"/find/{self.referral}" + (f"?ranking={self.ranking}" if self.ranking else "")

    def record(self) -> Response:
        """Return the record for repeats: ids and a word, and nothing about anyone."""
        return Response(json.dumps(asdict(self)).encode())


async def do_once(
    tx: Transaction,
    sent: SentForm,
    act: Callable[[], Awaitable[ActOutcome | Refusal]],
    *,
    kept: bool = False,
) -> ActOutcome | Refusal:
    """Do an act, or return the outcome of its first time.

    A refusal that is raised undoes the whole act, and is returned; one that the act returns undoes
    nothing.
    `kept` means that the act itself records its outcome for repeats.
    """
    try:
        async with tx.attempt():
            outcome = await act()
            if not kept and isinstance(outcome, ActOutcome):
                await sent.once.keep(tx, outcome.record(), referral_id=UUID(outcome.referral))
            return outcome
    except EXPECTED as refusal:
        try:
            first = await sent.once.replay(tx)
        except Mismatch as other:
            return other
        if first is not None:
            return ActOutcome(**json.loads(bytes(first.body)))
        if isinstance(refusal, AlreadyAnswered):
            raise
        return refusal


def known_code(listed: TypeAdapter[str], value: str, *, pointer: str) -> str:
    """Return a code of a list; refuse any other value."""
    try:
        return listed.validate_python(value)
    except ValidationError:
        raise Invalid(Fault(pointer, "is not a known code")) from None
