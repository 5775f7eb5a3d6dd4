"""The manners of the wire: camelCase models, ETags, lists with cursors."""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Request, Response
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

from app.errors import MatchRequired, Stale

JSON = "application/json"
NOTHING = UUID(int=0)
"""The id of nothing: what cannot be an id is looked for, and not found, like any other."""


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

YEARS = range(2000, 2101)


def _written(day: object) -> object:
    # Numbers would pass as seconds since 1970, and times as their day.
    if not isinstance(day, str) or len(day) != len("2026-01-31"):
        message = "must be a day as in RFC 3339"
        raise ValueError(message)
    return day


def _sane(day: date) -> date:
    if day.year not in YEARS:
        message = f"must lie in the years {YEARS.start} to {YEARS.stop - 1}"
        raise ValueError(message)
    return day


Day = Annotated[date, BeforeValidator(_written), AfterValidator(_sane)]
"""A day of the calendar, written out."""


@dataclass(frozen=True, slots=True)
class Body:
    """What a request said: its JSON, or why it cannot be read."""

    content: object = None
    fault: str | None = None


class In(BaseModel):
    """What a client sends. An unknown field is a fault: a misspelt danger zone must never pass in silence."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class Out(BaseModel):
    """What a client is sent."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    def reply(self, status: int = 200, *, etag: bool = False) -> Response:
        """Return this as a response, with an ETag where it is a single thing."""
        body = self.model_dump_json(by_alias=True).encode()
        headers = {"ETag": etag_of(body)} if etag else None
        return Response(body, status, headers, JSON)


def etag_of(body: bytes) -> str:
    """Return the entity tag of a representation."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def single(model: Out, request: Request) -> Response:
    """Reply with one thing and its ETag; 304 where the client has this very version."""
    response = model.reply(etag=True)
    if _names(request.headers.get("if-none-match"), response.headers["ETag"]):
        return Response(status_code=304, headers={"ETag": response.headers["ETag"]})
    return response


def check_match(request: Request, current: Out, *, required: bool = False) -> None:
    """Refuse unless `If-Match` names the current version; without the header only where it is required."""
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


def parse(text: str) -> UUID:
    """Return the id that a string is, or the id of nothing."""
    try:
        read = UUID(text)
    except ValueError:
        return NOTHING
    return read if str(read) == text else NOTHING


def parse_optional(text: str | None) -> UUID | None:
    """Return the id that a string is, the id of nothing, or None where there is no string."""
    return None if text is None else parse(text)


def text_of(id_: UUID | None) -> str | None:
    """Return an id as it is sent."""
    return None if id_ is None else str(id_)
