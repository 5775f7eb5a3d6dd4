"""Values to JSON documents and back: a document is checked against a value's own type hints, every fault named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import (
    Annotated,
    Any,
    Protocol,
    TypeAlias,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

from app.errors import Fault

T = TypeVar("T")

DayOrMoment: TypeAlias = dt.date | dt.datetime
"""A day, or a moment of it with its offset from UTC."""

_PLAIN = (int, str, bool, type(None))


class Unreadable(ValueError):
    """A document that is not what it should be; `faults` are all that is wrong with it, by JSON pointer."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            "; ".join(f"{fault.pointer or '/'} {fault.message}" for fault in self.faults)
        )


class Limit(Protocol):
    """What stands beside a field's type in `Annotated`: says what is wrong with a value of that type, or None."""

    def fault(self, value: Any, /) -> str | None: ...  # noqa: ANN401, D102 - each limit knows its own type


@runtime_checkable
class Checked(Protocol):
    """A value whose fields must agree with each other."""

    def faults(self) -> Iterable[Fault]:
        """What contradicts what, with pointers from this value."""
        ...


# --- values to documents --------------------------------------------------------------


def document_of(value: object) -> Any:  # noqa: ANN401 - JSON
    """The value as JSON has it: dataclasses and maps are objects, tuples and (sorted) sets arrays, times ISO 8601."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Mapping):
        # Most maps hold plain numbers, by the hundred, and each recorded ranking writes them.
        entries = cast("Mapping[str, object]", value).items()
        return {name: item if type(item) in _PLAIN else document_of(item) for name, item in entries}
    if isinstance(value, tuple):
        return [document_of(item) for item in cast("tuple[object, ...]", value)]
    if isinstance(value, frozenset):
        return sorted(cast("frozenset[str]", value))
    if isinstance(value, dt.date):
        return value.isoformat()
    return {name: document_of(getattr(value, name)) for name in _hints(type(value))}


# --- documents to values --------------------------------------------------------------


def read(kind: type[T], document: object) -> T:
    """The document as a value of the dataclass `kind`; what `document_of` wrote comes back equal.

    Raises:
        Unreadable: with every fault, unknown and missing fields included.
    """
    faults: list[Fault] = []
    value = _read(kind, document, "", faults)
    if faults:
        raise Unreadable(faults)
    return cast("T", value)


def _read(hint: Any, value: Any, pointer: str, faults: list[Fault]) -> Any:  # noqa: ANN401 - as typed as JSON is
    """The value that `hint` promises; after a fault a stand-in that is never handed out."""
    shape = get_origin(hint)
    if shape is UnionType:
        return _either(hint, value, pointer, faults)
    reader = _object if is_dataclass(hint) else _READERS[shape or hint]
    return reader(hint, value, pointer, faults)


def _either(hint: Any, value: Any, pointer: str, faults: list[Fault]) -> Any:  # noqa: ANN401
    """A day or a moment; any other union is "something | None"."""
    if hint == DayOrMoment:
        return _day_or_moment(value, pointer, faults)
    return None if value is None else _read(get_args(hint)[0], value, pointer, faults)


def _day_or_moment(value: Any, pointer: str, faults: list[Fault]) -> dt.date | None:  # noqa: ANN401
    for kind in (dt.date, dt.datetime):
        try:
            found = kind.fromisoformat(value)
        except (TypeError, ValueError):
            continue
        if not isinstance(found, dt.datetime) or found.utcoffset() is not None:
            return found
    faults.append(
        Fault(pointer, "must be a day, as 2026-01-31, or a moment, as 2026-01-31T12:00:00+00:00")
    )
    return None


def _object(hint: Any, value: Any, pointer: str, faults: list[Fault]) -> Any:  # noqa: ANN401
    if not isinstance(value, dict):
        faults.append(Fault(pointer, "must be an object"))
        return None
    already, found = len(faults), cast("dict[str, object]", value)
    hints = _hints(hint)
    faults += [
        Fault(step(pointer, name), "is not a known field") for name in found if name not in hints
    ]
    faults += [
        Fault(step(pointer, name), "is missing") for name in _needed(hint) if name not in found
    ]
    given = {
        name: _read(hints[name], found[name], step(pointer, name), faults)
        for name in hints
        if name in found
    }
    if len(faults) > already:
        return None
    try:
        whole = hint(**given)
    except ValueError as refused:
        faults.append(Fault(pointer, str(refused)))
        return None
    if isinstance(whole, Checked):
        faults += [Fault(pointer + fault.pointer, fault.message) for fault in whole.faults()]
    return whole


def step(pointer: str, name: str) -> str:
    """The pointer to a field, as RFC 6901 writes it."""
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"


def _limited(hint: Any, value: Any, pointer: str, faults: list[Fault]) -> Any:  # noqa: ANN401
    base, *limits = get_args(hint)
    already = len(faults)
    found = _read(base, value, pointer, faults)
    if len(faults) == already:
        messages = [cast("Limit", limit).fault(found) for limit in limits]
        faults += [Fault(pointer, message) for message in messages if message]
    return found


def _map(hint: Any, value: Any, pointer: str, faults: list[Fault]) -> dict[str, Any]:  # noqa: ANN401
    if not isinstance(value, dict):
        faults.append(Fault(pointer, "must be an object"))
        return {}
    entries = cast("dict[str, object]", value).items()
    return {
        name: _read(get_args(hint)[1], item, step(pointer, name), faults) for name, item in entries
    }


def _tuple(hint: Any, value: Any, pointer: str, faults: list[Fault]) -> tuple[Any, ...]:  # noqa: ANN401
    if not isinstance(value, list):
        faults.append(Fault(pointer, "must be an array"))
        return ()
    items = enumerate(cast("list[object]", value))
    return tuple(_read(get_args(hint)[0], item, f"{pointer}/{at}", faults) for at, item in items)


def _set(hint: Any, value: Any, pointer: str, faults: list[Fault]) -> frozenset[Any]:  # noqa: ANN401
    return frozenset(_tuple(hint, value, pointer, faults))


def _exactly(message: str) -> Callable[[Any, Any, str, list[Fault]], Any]:
    """A reader of values that JSON has itself. True is no number, whatever Python thinks of it."""

    def reader(hint: Any, value: Any, pointer: str, faults: list[Fault]) -> Any:  # noqa: ANN401
        if type(value) is not hint:
            faults.append(Fault(pointer, message))
        return value

    return reader


def _iso(message: str) -> Callable[[Any, Any, str, list[Fault]], Any]:
    """A reader of days and moments."""

    def reader(hint: Any, value: Any, pointer: str, faults: list[Fault]) -> Any:  # noqa: ANN401
        try:
            return hint.fromisoformat(value)
        except (TypeError, ValueError):
            faults.append(Fault(pointer, message))

    return reader


_READERS: Mapping[Any, Callable[[Any, Any, str, list[Fault]], Any]] = {
    Annotated: _limited,
    Mapping: _map,
    tuple: _tuple,
    frozenset: _set,
    int: _exactly("must be a whole number"),
    str: _exactly("must be a text"),
    bool: _exactly("must be true or false"),
    dt.date: _iso("must be a day, as 2026-01-31"),
    dt.datetime: _iso("must be a moment, as 2026-01-31T12:00:00+00:00"),
}


@cache
def _needed(kind: Any) -> tuple[str, ...]:  # noqa: ANN401
    """The fields that a document must have: those without a default, which came later than documents still cited."""
    return tuple(field.name for field in fields(kind) if field.init and field.default is MISSING)


@cache
def _hints(kind: type) -> dict[str, Any]:
    """The type hints of the fields that make a dataclass, in their order."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in fields(kind) if field.init}
