"""Idempotency keys: a repeated POST gets the first answer, and has no second effect.

The answer is written last, in the transaction of what it answers. Of two repeats at once the later
waits for the row of the first, finds it there, and takes back all it did; so does one that was
refused because the first had already had its effect. Only then is the first answer looked up, if
the caller may still see it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request, Response

from app.allocation.policy.documents import canonical_json
from app.api.kit.wire import JSON, Body, etag_of
from app.database import answers
from app.database.caller import Caller
from app.database.transaction import Transaction
from app.deps import admit, bearer_transaction, log_granted
from app.errors import Conflict, Erased, Fault, Invalid, Mismatch

LONGEST = 255


@dataclass(frozen=True, slots=True)
class IdempotentCall:
    """A call that may be a repeat; without a key it never is."""

    route: str
    key: str | None
    fingerprint: bytes

    def record(
        self,
        tx: Transaction,
        response: Response,
        *,
        referral_id: UUID | None = None,
        referral_ids: Sequence[UUID] = (),
    ) -> answers.KeptAnswer | None:
        """Return the sealed answer to keep for repeats, or None without a key.

        It is erased with the referrals that it is about.
        """
        if self.key is None:
            return None
        caller = tx.caller
        sealed = tx.keyring.answers.seal(bytes(response.body), row=self._row(caller))
        return answers.KeptAnswer(
            account_id=caller.account_id,
            route=self.route,
            key=self.key,
            fingerprint=self.fingerprint,
            provider_id=caller.provider_id,
            region=caller.region,
            status=response.status_code,
            sealed=sealed,
            referral_id=referral_id,
            referral_ids=referral_ids,
        )

    async def keep(
        self,
        tx: Transaction,
        response: Response,
        *,
        referral_id: UUID | None = None,
        referral_ids: Sequence[UUID] = (),
    ) -> Response:
        """Keep a response in the transaction of what it answers, and return it."""
        answer = self.record(tx, response, referral_id=referral_id, referral_ids=referral_ids)
        if answer is not None and not await answers.keep(tx, answer):
            raise AlreadyAnswered
        return response

    def _row(self, caller: Caller) -> str:
        return f"{caller.account_id} {self.route} {self.key}"

    async def replay(self, tx: Transaction) -> Response | None:
        """Return the first answer to this call, if there was one that the caller may see."""
        if self.key is None:
            return None
        answer = await answers.read(tx, tx.caller.account_id, route=self.route, key=self.key)
        if answer is None:
            return None
        if answer.fingerprint != self.fingerprint:
            raise Mismatch
        if (answer.provider_id, answer.region) != (tx.caller.provider_id, tx.caller.region):
            return None
        if answer.sealed == answers.GONE:
            raise Erased
        if answer.referral_id is not None:
            tx.looks.referral_ids.add(answer.referral_id)
        tx.looks.referral_ids.update(answer.referral_ids)
        body = tx.keyring.answers.unseal(answer.sealed, row=self._row(tx.caller))
        return Response(
            body,
            answer.status,
            {"Idempotency-Replayed": "true", "ETag": etag_of(body)},
            media_type=JSON,
        )


class AlreadyAnswered(Conflict):
    """The key was used before: this transaction is rolled back, the first answer looked up."""

    def __init__(self) -> None:
        super().__init__("busy", "The same request is being answered; try again.")


def _meaning(content: Any) -> Any:  # noqa: ANN401 - JSON
    """Return what JSON says, however it was written: 1.0 and 1e0 are 1."""
    if isinstance(content, dict):
        return {name: _meaning(value) for name, value in content.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(content, list):
        return [_meaning(value) for value in content]  # pyright: ignore[reportUnknownVariableType]
    return int(content) if isinstance(content, float) and content.is_integer() else content


async def read_call(
    request: Request,
    key: Annotated[
        str | None, Header(alias="Idempotency-Key", description="Makes a repeat safe for a day.")
    ] = None,
) -> IdempotentCall:
    """Read the Idempotency-Key, and remember it: a refusal looks for a first answer by it."""
    if key is not None and not (1 <= len(key) <= LONGEST and key.isprintable()):
        raise Invalid(
            Fault("/headers/Idempotency-Key", f"must have 1 to {LONGEST} printable characters")
        )
    body: Body = getattr(request.state, "body", Body())
    if body.fault is not None:
        raise Invalid(Fault("", body.fault))
    asked = canonical_json([request.url.path, _meaning(body.content)])
    fingerprint = hashlib.sha256(asked).digest()
    call = IdempotentCall(request.scope["route"].path, key, fingerprint)
    request.state.once = call
    return call


async def require_key(call: Annotated[IdempotentCall, Depends(read_call)]) -> IdempotentCall:
    """Read the Idempotency-Key, which this route requires."""
    if call.key is None:
        raise Invalid(
            Fault("/headers/Idempotency-Key", "is required"), code="idempotency_key_required",
            detail="Send an Idempotency-Key, so that a repeat is safe.",
        )  # fmt: skip
    return call


async def first_answer(request: Request) -> Response | None:
    """Return the first answer to a request just refused, if the request is a repeat."""
    call: IdempotentCall | None = getattr(request.state, "once", None)
    if call is None or call.key is None:
        return None
    async with bearer_transaction(request) as tx:
        admit(request, tx)
        first = await call.replay(tx)
        if first is not None:
            # Seen again is seen.
            log_granted(tx, request)
        return first


OnceIn = Annotated[IdempotentCall, Depends(read_call)]
OnceRequired = Annotated[IdempotentCall, Depends(require_key)]
