"""Refusals in the domain's words; one table at the edge translates them to HTTP."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of an input: a JSON pointer (or a column) and a sentence about it."""

    pointer: str
    message: str


class Refusal(Exception):
    """A request that Plek declines.

    `code` is snake_case and part of the API's contract.

    `text` is a sentence in English, and what its translations in `app/words` are found by: `values`
    are filled in, never formatted into it before.
    """

    def __init__(self, code: str, text: str, **values: object) -> None:
        self.code = code
        self.text = text
        self.values = values
        super().__init__(self.detail)

    @property
    def detail(self) -> str:
        """The sentence as clients of the API read it."""
        return self.text % self.values if self.values else self.text


class Unauthenticated(Refusal):
    """No known account: the token is missing, unknown, expired or revoked."""

    def __init__(self) -> None:
        super().__init__("unauthenticated", "A valid bearer token is needed.")


class Forbidden(Refusal):
    """An account whose role may not do this."""

    def __init__(
        self, detail: str = "Your role may not do this.", *, code: str = "forbidden"
    ) -> None:
        super().__init__(code, detail)


class UnprovedFactor(Forbidden):
    """A session whose second factor was not proved lately, for an act that asks for that."""

    def __init__(self) -> None:
        super().__init__(
            "Prove your second factor once more: it is asked for again after some time.",
            code="second_factor_required",
        )


class Missing(Refusal):
    """No such thing for this caller: it does not exist, or belongs to another provider.

    The two look the same, so that ids cannot be guessed.
    """

    def __init__(self) -> None:
        super().__init__("not_found", "Not found.")


class Conflict(Refusal):
    """A request that the present state does not allow.

    `rules` are the codes of the hard rules against it, if any.
    """

    def __init__(
        self, code: str, text: str, *, rules: tuple[str, ...] = (), **values: object
    ) -> None:
        if rules:
            values["rules"] = ", ".join(rules)
        super().__init__(code, text, **values)
        self.rules = rules


class Invalid(Refusal):
    """Bad input, with all its faults at once."""

    def __init__(
        self, *faults: Fault, code: str = "invalid_input", detail: str = "The input has faults."
    ) -> None:
        super().__init__(code, detail)
        self.faults = faults


class Mismatch(Refusal):
    """An idempotency key used again with another request body."""

    def __init__(self) -> None:
        super().__init__(
            "idempotency_key_reused", "This Idempotency-Key was used before with another request."
        )


class Stale(Refusal):
    """An `If-Match` header that names an outdated version."""

    def __init__(self) -> None:
        super().__init__("stale", "This has changed since you read it; read it again.")


class MatchRequired(Refusal):
    """A missing `If-Match` header."""

    def __init__(self) -> None:
        super().__init__("if_match_required", "Send If-Match with the ETag that you read.")


class TooMany(Refusal):
    """More requests than the limit allows; `retry_after` is in whole seconds."""

    def __init__(self, *, retry_after: int) -> None:
        super().__init__("too_many_requests", "Too many requests; wait a moment.")
        self.retry_after = retry_after


class TooOften(TooMany):
    """An act repeated more often within the hour than the policy allows."""


class BudgetSpent(TooOften):
    """A budget of the account that is used up; `text` says how it is raised."""

    def __init__(self, code: str, text: str, *, retry_after: int, **values: object) -> None:
        Refusal.__init__(self, code, text, **values)
        self.retry_after = retry_after


class AddressWithheld(Forbidden):
    """An address that the caller may not have yet; `text` says what opens it, whom to call."""

    def __init__(self, code: str, text: str, **values: object) -> None:
        Refusal.__init__(self, code, text, **values)


class Erased(Refusal):
    """Content that was destroyed, at the client's request or as the policy demands."""

    def __init__(self) -> None:
        super().__init__("erased", "This has been erased.")


class Unreadable(Refusal):
    """Content that no key of this installation opens."""

    def __init__(self) -> None:
        super().__init__(
            "unreadable",
            "No key of this installation opens what is known here. Administrators see it under"
            " Records; register the household anew if it cannot wait.",
        )


class Unavailable(Refusal):
    """A server that Plek needs and cannot reach; `retry_after` is in whole seconds."""

    def __init__(
        self, detail: str = "The database is out of reach; try again in a moment."
    ) -> None:
        super().__init__("unavailable", detail)
        self.retry_after = 2


class OperatorError(Exception):
    """A problem that the operator must fix; the message says what it is and how."""
