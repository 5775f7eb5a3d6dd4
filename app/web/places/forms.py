"""From what a form sends to the bodies that the API takes.

One set of rules, and its faults beside the fields.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import ValidationError
from starlette.datastructures import FormData

from app.api.kit.wire import In
from app.errors import Invalid, Stale
from app.reference import load
from app.words import N_

Model = TypeVar("Model", bound=In)
Faults = Mapping[str, str]
"""What is wrong, by the name that the API gives a field: sentences that are translated where they
are shown."""

NOTHING = N_("Fill this in.")
OTHERWISE = N_("This cannot be so. Please look at it again.")
TAKEN = N_("There is one of this name already.")
SENTENCES: Mapping[str, str] = {
    "missing": NOTHING,
    "string_type": NOTHING,
    "string_too_short": NOTHING,
    "int_type": NOTHING,
    "too_short": N_("Choose at least one."),
    "string_too_long": N_("This is too long."),
    "less_than_equal": N_("This number is too high."),
    "greater_than_equal": N_("This number is too low."),
}
"""What is said of a kind of fault, where more can be said than that there is one."""


class Form:
    """What somebody filled in; a blank field is none."""

    def __init__(self, content: FormData) -> None:
        self._content = content

    def one(self, name: str) -> str | None:
        """Return what stands in a field."""
        found = self._content.get(name)
        return (found.strip() or None) if isinstance(found, str) else None

    def many(self, name: str) -> list[str]:
        """Return every value that was chosen."""
        return [found for found in self._content.getlist(name) if isinstance(found, str)]

    def number(self, name: str) -> int | str | None:
        """Return a whole number.

        What is none is returned as it stands, to be found at fault.
        """
        found = self.one(name)
        return int(found) if found is not None and found.isascii() and found.isdecimal() else found

    def moment(self, name: str) -> str | None:
        """Return a moment that was given by the clocks of the jurisdiction, as the API takes it."""
        found = self.one(name)
        if found is None:
            return None
        try:
            at = datetime.fromisoformat(found)
        except ValueError:
            return found
        return at.replace(tzinfo=at.tzinfo or load().country.zone).isoformat()

    @property
    def values(self) -> Mapping[str, Any]:
        """All of it by name, to be shown again: a list where several may be chosen."""
        return {name: self._content.getlist(name) for name in self._content}


async def _form(request: Request) -> Form:
    return Form(await request.form())


FormIn = Annotated[Form, Depends(_form)]


def read(model: type[Model], body: Mapping[str, Any]) -> tuple[Model | None, Faults]:
    """Return a body, or what is wrong with it."""
    try:
        return model.model_validate(body), {}
    except ValidationError as error:
        return None, {
            _field(fault["loc"]): SENTENCES.get(fault["type"], OTHERWISE)
            for fault in error.errors()
        }


def required(model: type[Model], body: Mapping[str, Any]) -> Model:
    """Return a body that our own buttons send; anything else is not ours."""
    found, faults = read(model, body)
    if found is None:
        raise Invalid
    del faults
    return found


def faults_of(refusal: Invalid) -> Faults:
    """Return what a service found at fault, likewise by field."""
    return {fault.pointer.rpartition("/")[2]: OTHERWISE for fault in refusal.faults}


def unchanged(form: Form, version: str) -> None:
    """Refuse where what was filled in was made for another version than there is now."""
    if form.one("version") not in {None, version}:
        raise Stale


def _field(loc: tuple[int | str, ...]) -> str:
    # A fault inside a list belongs to the whole field; one in an address to its part of it.
    return next((part for part in reversed(loc) if isinstance(part, str)), "")
