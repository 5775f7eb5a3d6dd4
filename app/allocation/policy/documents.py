"""Values as JSON documents: one canonical form, one hash, and every fault named.

A value is a frozen dataclass; its type hints say what its document holds. Pydantic reads and
writes it by them, strictly: nothing is taken for what it is not, and no field is passed over.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from pydantic import AfterValidator, TypeAdapter, ValidationError
from pydantic_core import InitErrorDetails, core_schema

from app.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pydantic import GetCoreSchemaHandler
    from pydantic_core import ErrorDetails

T = TypeVar("T")

Contradiction: TypeAlias = tuple[tuple[str, ...], str]
"""The path from a value to one of its fields, and what is wrong with the field beside the
others."""


class Unreadable(ValueError):
    """A document that is not what it should be, with all its `faults` by JSON pointer."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            "; ".join(f"{fault.pointer or '/'} {fault.message}" for fault in self.faults)
        )


# --- bytes and their hash -------------------------------------------------------------


def canonical_json(document: object) -> bytes:
    """The document as UTF-8 JSON with sorted keys and no spaces.

    Equal documents, equal bytes.

    Documents hold objects, arrays, strings, whole numbers, booleans and null. Floating point has
    more than one way to be written down, so it has no place in anything that is hashed or replayed.
    """
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def content_hash(content: bytes) -> str:
    """`sha256:` and the 64 hexadecimal digits of the content's SHA-256."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


# --- values to documents and back -----------------------------------------------------


def document_of(value: object) -> Any:  # noqa: ANN401 - JSON
    """The JSON document of a dataclass, with times as ISO 8601 and sets sorted."""
    return _adapter(type(value)).dump_python(value, mode="json")


def read(kind: type[T], document: object) -> T:
    """The value of the dataclass `kind` that a parsed JSON document states.

    Raises:
        Unreadable: with every fault, unknown and missing fields included.
    """
    return read_json(kind, json.dumps(document).encode())


def read_json(kind: type[T], content: bytes) -> T:
    """The value of the dataclass `kind` that the bytes of a JSON document state.

    Raises:
        Unreadable: with every fault, unknown and missing fields included.
    """
    try:
        value = _adapter(kind).validate_json(content, strict=True, extra="forbid")
    except ValidationError as refused:
        found = refused.errors(include_url=False, include_input=False)
        raise Unreadable(_fault(error) for error in found) from None
    return cast("T", value)


@cache
def _adapter(kind: type[object]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


# --- what a type alone does not say ---------------------------------------------------


def limit(allows: Callable[[Any], object], message: str) -> AfterValidator:
    """A limit beside a field's type in `Annotated`.

    The values it allows, the fault of others.
    """

    def check(value: Any) -> Any:  # noqa: ANN401 - each limit knows its own type
        if not allows(value):
            raise ValueError(message)
        return value

    return AfterValidator(check)


class Consistent(ABC):
    """Base of a dataclass whose fields must agree with each other when it is read."""

    __slots__ = ()

    @abstractmethod
    def contradictions(self) -> Iterator[Contradiction]:
        """The fields that do not agree with the others."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(_refuse_contradictions, handler(source))


def _refuse_contradictions(value: Consistent) -> Consistent:
    found = [
        InitErrorDetails(
            type="value_error", loc=path, input=None, ctx={"error": ValueError(message)}
        )
        for path, message in value.contradictions()
    ]
    if found:
        raise ValidationError.from_exception_data(type(value).__name__, found)
    return value


# --- faults ---------------------------------------------------------------------------

_MESSAGES = {
    "missing": "is missing",
    "unexpected": "is not a known field",
    "dataclass": "must be an object",
    "dict": "must be an object",
    "tuple": "must be an array",
    "frozen": "must be an array",
    "int": "must be a whole number",
    "string": "must be a text",
    "bool": "must be true or false",
    "date": "must be a day, as 2026-01-31",
    "datetime": "must be a moment, as 2026-01-31T12:00:00+00:00",
    "json": "must be JSON",
}
"""By the first word of pydantic's type of error; the others bring their own sentence."""


def _fault(error: ErrorDetails) -> Fault:
    pointer = ""
    for part in error["loc"]:
        pointer = step(pointer, str(part))
    said = error.get("ctx", {}).get("error", error["msg"])
    return Fault(pointer, _MESSAGES.get(error["type"].partition("_")[0], str(said)))


def step(pointer: str, name: str) -> str:
    """The pointer to a field, as RFC 6901 writes it."""
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
