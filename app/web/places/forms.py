"""Forms of the board: their fields, the API's bodies from them, and the faults by field."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import ValidationError
from starlette.datastructures import FormData

from app.api.kit.wire import In
from app.errors import Conflict, Invalid, Stale
from app.reference import load
from app.words import N_

Model = TypeVar("Model", bound=In)
Faults = Mapping[str, str]
"""Faults by the API's name of a field, as sentences that the template translates."""

NOTHING = N_("Fill this in.")
OTHERWISE = N_("This cannot be so. Please look at it again.")
TAKEN = N_("There is one of this name already.")
TAKEN_FIELDS = {"label_taken": "label", "name_taken": "name"}
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
"""The sentences for the kinds of faults that have one of their own."""


class FormFields:
    """The fields of a form that was sent; a blank field counts as missing."""

    def __init__(self, content: FormData) -> None:
        self._content = content

    def one(self, name: str) -> str | None:
        """Return the value of a field; None if blank."""
        found = self._content.get(name)
        return (found.strip() or None) if isinstance(found, str) else None

    def many(self, name: str) -> list[str]:
        """Return every chosen value of a field."""
        return [found for found in self._content.getlist(name) if isinstance(found, str)]

    def number(self, name: str) -> int | str | None:
        """Return a whole number; any other text comes back as it is, for the API to refuse."""
        found = self.one(name)
        return int(found) if found is not None and found.isascii() and found.isdecimal() else found

    def moment(self, name: str) -> str | None:
        """Return a moment by the country's clock, as the API takes it."""
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
        """All values by name, to be shown again."""
        return {name: self._content.getlist(name) for name in self._content}


async def _read_form(request: Request) -> FormFields:
    return FormFields(await request.form())


FormIn = Annotated[FormFields, Depends(_read_form)]


def parse(model: type[Model], body: Mapping[str, Any]) -> tuple[Model | None, Faults]:
    """Return the body that the API takes, or the faults in it."""
    try:
        return model.model_validate(body), {}
    except ValidationError as error:
        return None, {
            _field_of(fault["loc"]): SENTENCES.get(fault["type"], OTHERWISE)
            for fault in error.errors()
        }


def require(model: type[Model], body: Mapping[str, Any]) -> Model:
    """Return a body that our own buttons send; refuse any other."""
    found, faults = parse(model, body)
    if found is None:
        raise Invalid
    del faults
    return found


def faults_of(refusal: Invalid) -> Faults:
    """Return the faults that an act found, by field."""
    return {fault.pointer.rpartition("/")[2]: OTHERWISE for fault in refusal.faults}


def taken_by(refusal: Conflict) -> Faults:
    """Return the fault of a name or a label that is taken; raise any other conflict."""
    if refusal.code not in TAKEN_FIELDS:
        raise refusal
    return {TAKEN_FIELDS[refusal.code]: TAKEN}


def require_version(form: FormFields, version: str) -> None:
    """Refuse a form that was made for another version than the present one."""
    if form.one("version") not in {None, version}:
        raise Stale


def _field_of(loc: tuple[int | str, ...]) -> str:
    # A fault inside a list belongs to the whole field; one in an address to its part of it.
    return next((part for part in reversed(loc) if isinstance(part, str)), "")
