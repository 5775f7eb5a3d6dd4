"""Parameters of path, query and headers, with a shorter way than FastAPI's for plain ones."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi._compat import field_annotation_is_scalar
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.params import Header


def read_parameters(dependant: Dependant, request: Request) -> tuple[dict[str, Any], list[Any]]:
    """Return the parameters of a function by name, and what is wrong with them."""
    values: dict[str, Any] = {}
    faults: list[Any] = []
    for fields, received in _parameters(dependant, request):
        if (plain := read_plainly(fields, received)) is not None:
            values |= plain
            continue
        found, wrong = request_params_to_args(fields, received)
        values |= found
        faults += wrong
    return values, faults


def read_plainly(fields: Sequence[Any], received: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the values of parameters that are a single plain value each.

    None where one is not, or has a fault: FastAPI then says what is wrong, in full.
    """
    values: dict[str, Any] = {}
    for one in fields:
        plain = _plain(one)
        if plain is None:
            return None
        sent = received.get(plain.alias)
        if sent is None:
            if plain.required:
                return None
            values[one.name] = one.default
            continue
        value, wrong = one.validate(sent)
        if wrong:
            return None
        values[one.name] = value
    return values


@dataclass(frozen=True, slots=True)
class Plain:
    """What to know of a parameter that is a single value."""

    alias: str
    required: bool


_PLAIN: dict[int, tuple[object, Plain | None]] = {}


def _plain(field: Any) -> Plain | None:  # noqa: ANN401 - of FastAPI's own type
    """Return what to know of a parameter, looked up once; None for one that is no plain value."""
    known = _PLAIN.get(id(field))
    if known is not None:
        return known[1]
    info = field.field_info
    simple = (
        field_annotation_is_scalar(info.annotation)
        and info.validation_alias in {None, field.alias}
        and not (isinstance(info, Header) and "_" in field.alias)  # sent with a hyphen
        and not info.validate_default
        and (info.is_required() or isinstance(field.default, str | int | None))
    )
    plain = Plain(field.alias, info.is_required()) if simple else None
    _PLAIN[id(field)] = (field, plain)  # the field is kept: its id is not given to another
    return plain


def _parameters(dependant: Dependant, request: Request) -> Iterator[tuple[Any, Any]]:
    if dependant.path_params:
        yield dependant.path_params, request.path_params
    if dependant.query_params:
        yield dependant.query_params, request.query_params
    if dependant.header_params:
        yield dependant.header_params, request.headers
    if dependant.cookie_params:
        yield dependant.cookie_params, request.cookies
