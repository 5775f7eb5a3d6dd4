"""What can be refused, in the domain's words; HTTP is translated in one table at the edge."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input: a JSON pointer (or column) and a sentence about it."""

    pointer: str
    message: str


class Refusal(Exception):
    """Base of everything that Plek declines to do; `code` is snake_case and part of the wire contract.

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
    """Nobody we know: no token, an unknown one, an expired or a revoked one."""

    def __init__(self) -> None:
        super().__init__("unauthenticated", "A valid bearer token is needed.")


class Forbidden(Refusal):
    """Somebody we know, whose role may not do this."""

    def __init__(
        self, detail: str = "Your role may not do this.", *, code: str = "forbidden"
    ) -> None:
        super().__init__(code, detail)


class Missing(Refusal):
    """There is no such thing, or it is another provider's: nobody can tell which."""

    def __init__(self) -> None:
        super().__init__("not_found", "There is nothing here for you.")


class Conflict(Refusal):
    """The state of the world does not allow it now; `rules` are the codes of the hard rules in the way, if any."""

    def __init__(
        self, code: str, text: str, *, rules: tuple[str, ...] = (), **values: object
    ) -> None:
        if rules:
            values["rules"] = ", ".join(rules)
        super().__init__(code, text, **values)
        self.rules = rules


class Invalid(Refusal):
    """Bad input, with every fault named at once."""

    def __init__(
        self, *faults: Fault, code: str = "invalid_input", detail: str = "The input has faults."
    ) -> None:
        super().__init__(code, detail)
        self.faults = faults


class Mismatch(Refusal):
    """An idempotency key was used before with another body."""

    def __init__(self) -> None:
        super().__init__(
            "idempotency_key_reused", "This Idempotency-Key was used before with another request."
        )


class Stale(Refusal):
    """`If-Match` names a version that is no longer the current one."""

    def __init__(self) -> None:
        super().__init__("stale", "This has changed since you read it; read it again.")


class MatchRequired(Refusal):
    """The call needs `If-Match` and came without."""

    def __init__(self) -> None:
        super().__init__("if_match_required", "Send If-Match with the ETag that you read.")


class TooMany(Refusal):
    """More requests than the limit allows; `retry_after` is in whole seconds."""

    def __init__(self, *, retry_after: int) -> None:
        super().__init__("too_many_requests", "Too many requests; wait a moment.")
        self.retry_after = retry_after


class TooOften(TooMany):
    """One act more often within the hour than the policy allows."""


class Erased(Refusal):
    """What this was about has been destroyed, as its client or the policy asked."""

    def __init__(self) -> None:
        super().__init__("erased", "This has been erased.")


class Unavailable(Refusal):
    """A server that Plek needs is not there now; `retry_after` is in whole seconds."""

    def __init__(
        self, detail: str = "The database is out of reach; try again in a moment."
    ) -> None:
        super().__init__("unavailable", detail)
        self.retry_after = 2


class OperatorError(Exception):
    """Something that the operator must put right; the message says what and how."""
