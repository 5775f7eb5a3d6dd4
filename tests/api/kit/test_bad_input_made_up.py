"""Made-up JSON at every route: a refusal that says why, no failure, and no change."""

import copy
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.calls import WITH_BODY, World, answer_to, counts, faults, world
from tests.country import Country
from tests.rounds import rounds

QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from(
        [
            "GM0518",
            "female",
            "2027-01-01",
            "acute",
            "\u0000",
            "a" * 300,
            "00000000-0000-0000-0000-000000000000",
        ]
    )
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def places_in(content: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value within a document."""
    within = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    return [place, *(way for name, value in within for way in places_in(value, (*place, name)))]


def put(content: Any, place: tuple[Any, ...], value: Any) -> Any:
    """Return a document with another value in one place."""
    if not place:
        return value
    changed = copy.deepcopy(content)
    target = changed
    for name in place[:-1]:
        target = target[name]
    target[place[-1]] = value
    return changed


@pytest.fixture
async def there(country: Country) -> World:
    """Return one thing of each kind."""
    return await world(country)


@pytest.fixture
async def nothing_changes(there: World) -> AsyncGenerator[None]:
    """Compare all tables after the last example with what they were before the first."""
    before = await counts(there.country)
    yield
    assert await counts(there.country) == before


@pytest.mark.usefixtures("nothing_changes")
@settings(
    max_examples=rounds(60, soak=1_000),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=QUIET,
)
@given(
    call=st.sampled_from(WITH_BODY),
    fields=st.dictionaries(st.text(max_size=8), ANYTHING, max_size=4),
)
async def test_an_unknown_field_is_a_fault_whatever_else_there_is(
    there: World, call: tuple[str, str], fields: dict[str, Any]
) -> None:
    named = faults(await answer_to(there, call, json.dumps(fields | {"zzz": fields}).encode()))
    assert "/zzz" in named


@settings(
    max_examples=rounds(100, soak=4_000),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=QUIET,
)
@given(call=st.sampled_from(WITH_BODY), data=st.data())
async def test_one_value_out_of_place_is_refused_or_taken_but_never_fails(
    there: World, call: tuple[str, str], data: st.DataObject
) -> None:
    body = there.body(*call)
    place = data.draw(st.sampled_from(places_in(body)))
    answer = await answer_to(
        there, call, json.dumps(put(body, place, data.draw(ANYTHING))).encode()
    )
    assert answer.status_code < 500, answer.text
    if answer.status_code == 400:
        assert answer.json()["errors"]
