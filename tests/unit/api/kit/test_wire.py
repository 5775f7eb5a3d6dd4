from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from app.api.kit.wire import (
    NOTHING,
    Day,
    In,
    Line,
    Moment,
    Out,
    check_match,
    etag_of,
    parse_id,
    parse_optional_id,
    single,
)
from app.errors import MatchRequired, Stale


class Thing(Out):
    """Something to be sent."""

    short_name: str


class Wanted(In):
    """Something that is sent to us."""

    short_name: Line
    since: Day | None = None
    at: Moment | None = None


def asked(**headers: str) -> Request:
    """Return a request with these headers; an underscore stands for a hyphen."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw})


THING = Thing(short_name="Linde")
TAG = etag_of(b'{"shortName":"Linde"}')


def test_names_are_in_camel_case_on_the_wire() -> None:
    assert THING.reply().body == b'{"shortName":"Linde"}'
    assert Wanted.model_validate({"shortName": " Linde "}).short_name == "Linde"
    with pytest.raises(ValidationError):
        Wanted.model_validate({"short_name": "Linde"})


@pytest.mark.parametrize(
    "text", ["", " ", "two\nlines", "nul\u0000", "\u200e", "x" * 201, "a\u2028b"]
)
def test_a_line_is_one_line_of_printable_text(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Line).validate_python(text)


@pytest.mark.parametrize(
    "day", ["2027-02-29", "27-01-01", "2027-1-1", "1999-12-31", "2101-01-01", 20_000, 1.5, True]
)
@pytest.mark.parametrize("part", ["since", "at"])
def test_neither_a_day_nor_a_time_is_a_number_or_out_of_this_century(part: str, day: Any) -> None:
    with pytest.raises(ValidationError):
        Wanted.model_validate({"shortName": "Linde", part: day})


def test_a_day_is_a_day_and_a_time_has_a_zone() -> None:
    read = Wanted.model_validate(
        {"shortName": "Linde", "since": "2028-02-29", "at": "2028-02-29T12:00:00+01:00"}
    )
    assert read.since == date(2028, 2, 29)
    assert read.at == datetime(2028, 2, 29, 11, tzinfo=UTC)
    for part, value in (
        ("since", "2028-02-29T00:00:00Z"),
        ("at", "2028-02-29T12:00:00"),
        ("at", "1893456000"),
    ):
        with pytest.raises(ValidationError):
            Wanted.model_validate({"shortName": "Linde", part: value})


@pytest.mark.parametrize("header", [TAG, "*", f"W/{TAG}", f'"x",  {TAG} , "y"'])
def test_a_tag_that_is_named_is_found(header: str) -> None:
    assert single(THING, asked(if_none_match=header)).status_code == 304
    check_match(asked(if_match=header), THING)


@pytest.mark.parametrize("header", ["", '"x"', TAG[1:-1], f"{TAG}x", TAG.upper()])
def test_a_tag_that_is_not_named_is_not_found(header: str) -> None:
    assert single(THING, asked(if_none_match=header)).status_code == 200
    with pytest.raises(Stale):
        check_match(asked(if_match=header), THING)


def test_a_match_may_be_required() -> None:
    check_match(asked(), THING)
    with pytest.raises(MatchRequired):
        check_match(asked(), THING, required=True)


def test_only_the_one_way_to_write_an_id_names_it() -> None:
    id_ = "123e4567-e89b-42d3-a456-426614174000"
    assert str(parse_id(id_)) == id_
    for other in (
        id_.upper(),
        "{" + id_ + "}",
        id_.replace("-", ""),
        f"urn:uuid:{id_}",
        f"{id_} ",
        "",
        "\u0000",
        "é",
    ):
        assert parse_id(other) == NOTHING
    assert parse_optional_id(None) is None
    assert parse_optional_id("x") == NOTHING
