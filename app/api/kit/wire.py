"""The manners of the wire: models in camelCase, ids, days and moments, changes, ETags."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Self, TypeVar
from uuid import UUID

from fastapi import Request, Response
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasGenerator,
    AliasPath,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
)
from pydantic.alias_generators import to_camel

from app.allocation.values import LONGEST_NAME
from app.errors import MatchRequired, Stale
from app.registry.names import tidy_text

JSON = "application/json"
NOTHING = UUID(int=0)
"""The id of nothing."""


def parse_id(text: str) -> UUID:
    """Return the id that a string is, or the id of nothing.

    Ids are opaque strings: one that cannot exist is looked up, and not found, like any other.
    """
    try:
        read = UUID(text)
    except ValueError:
        return NOTHING
    return read if str(read) == text else NOTHING


def parse_optional_id(text: str | None) -> UUID | None:
    """Return the id that a string is, the id of nothing, or None without a string."""
    return None if text is None else parse_id(text)


def _id_text(id_: object) -> object:
    return str(id_) if isinstance(id_, UUID) else id_


Id = Annotated[str, BeforeValidator(_id_text)]
"""An id as it is sent."""


AsText = Annotated[str, BeforeValidator(str)]
"""A number or a quarter as it is sent."""


def _no_control(text: str) -> str:
    if not text.isprintable():
        message = "must be printable text on one line"
        raise ValueError(message)
    return text


Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_no_control),
]
"""One line of printable text."""


def _tidied(text: object) -> object:
    return tidy_text(text) if isinstance(text, str) else text


Name = Annotated[
    str,
    BeforeValidator(_tidied),
    StringConstraints(min_length=1, max_length=LONGEST_NAME),
    AfterValidator(_no_control),
]
"""A name or a label, written as files write it."""

YEARS = range(2000, 2101)


def _written_day(day: object) -> object:
    # Numbers would pass as seconds since 1970, and times as their day.
    if not isinstance(day, str) or len(day) != len("2026-01-31"):
        message = "must be a day as in RFC 3339"
        raise ValueError(message)
    return day


def _written_moment(moment: object) -> object:
    # Numbers would pass as seconds since 1970.
    if not isinstance(moment, str) or moment.isnumeric():
        message = "must be a time as in RFC 3339"
        raise ValueError(message)
    return moment


Time = TypeVar("Time", date, datetime)


def _plausible(time: Time) -> Time:
    if time.year not in YEARS:
        message = f"must lie in the years {YEARS.start} to {YEARS.stop - 1}"
        raise ValueError(message)
    return time


Day = Annotated[date, BeforeValidator(_written_day), AfterValidator(_plausible)]
"""A day of the calendar, written out."""
Moment = Annotated[AwareDatetime, BeforeValidator(_written_moment), AfterValidator(_plausible)]
"""A moment with its offset from UTC, written out."""


@dataclass(frozen=True, slots=True)
class Body:
    """What a request said: its JSON, or why it cannot be read."""

    content: object = None
    fault: str | None = None


class In(BaseModel):
    """What a client sends. An unknown field is a fault: a misspelt danger zone must not pass."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


def absent() -> Any:  # noqa: ANN401 - stands for any type, and is never read
    """Stand in for a field that was not sent; as a factory it stays out of the description."""
    return None


def sent_fields(wanted: In, *, all_fields: bool = False) -> dict[str, Any]:
    """Return the fields that were sent by name, or all; lists of codes as tuples."""
    fields = wanted.model_dump(exclude_unset=not all_fields)
    return {name: _frozen(value) for name, value in fields.items()}


def _frozen(value: Any) -> Any:  # noqa: ANN401 - whatever a field holds
    return tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def aliases_from(*parts: str) -> AliasGenerator:
    """Let an answer read its fields from a value, or from parts of it: `row`, `row.state`."""
    paths = [part.split(".") for part in parts]
    return AliasGenerator(
        validation_alias=lambda field: AliasChoices(
            field, *(AliasPath(path[0], *path[1:], field) for path in paths)
        ),
        serialization_alias=to_camel,
    )


class _Joined:
    """A value beside what only its answer knows, which comes first."""

    __slots__ = ("_more", "_value")

    def __init__(self, value: object, more: Mapping[str, object]) -> None:
        self._value, self._more = value, more

    def __getattr__(self, name: str) -> object:
        return self._more[name] if name in self._more else getattr(self._value, name)


class Out(BaseModel):
    """What a client is sent: the attributes of a value, by name."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(serialization_alias=to_camel),
        from_attributes=True,
        populate_by_name=True,
        frozen=True,
    )

    @classmethod
    def of(cls, value: object, **more: object) -> Self:
        """Return a value as it is sent; `more` is what the value does not know, or not so."""
        return cls.model_validate(_Joined(value, more) if more else value)

    def reply(self, status: int = 200, *, etag: bool = False) -> Response:
        """Return this as a response, with an ETag if it is a single thing."""
        body = self.model_dump_json(by_alias=True).encode()
        headers = {"ETag": etag_of(body)} if etag else None
        return Response(body, status, headers, JSON)


def etag_of(body: bytes) -> str:
    """Return the entity tag of a representation."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def single(model: Out, request: Request) -> Response:
    """Reply with one thing and its ETag, or 304 if the client has this very version."""
    response = model.reply(etag=True)
    if _names(request.headers.get("if-none-match"), response.headers["ETag"]):
        return Response(status_code=304, headers={"ETag": response.headers["ETag"]})
    return response


def check_match(request: Request, current: Out, *, required: bool = False) -> None:
    """Refuse unless `If-Match` names the current version; the header may be `required`."""
    wanted = request.headers.get("if-match")
    if wanted is None:
        if required:
            raise MatchRequired
        return
    if not _names(wanted, etag_of(current.model_dump_json(by_alias=True).encode())):
        raise Stale


def _names(header: str | None, tag: str) -> bool:
    if header is None:
        return False
    return header.strip() == "*" or tag in {
        part.strip().removeprefix("W/") for part in header.split(",")
    }
