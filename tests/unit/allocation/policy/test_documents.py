"""Values written down and read back.

Nothing is lost, and what does not fit is named.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from random import Random

import pytest

from app.allocation.policy.documents import Unreadable, document_of, read
from app.allocation.ranking.replay import (
    digest,
    inputs_bytes,
    inputs_document,
    inputs_of,
    register_bytes,
    register_of,
)
from app.allocation.ranking.versions import NEWEST, rules_of
from app.allocation.values import Adult, DangerZone, Register, Situation
from tests.unit.allocation.cases import PLACE, POLICY, QUIET, SAFE_NEED, draw_world, rank_one, zone
from tests.unit.allocation.ranking.replay_corpus import replay


def test_what_is_written_down_comes_back_equal() -> None:
    for seed in range(300):
        world = draw_world(Random(seed), most_groups=6)

        stored = json.loads(inputs_bytes(world.need, world.situation))

        assert inputs_of(stored) == (world.need, world.situation)
        assert inputs_document(*inputs_of(stored)) == stored
        assert set(register_of(register_bytes(world.register)).groups) == set(world.register.groups)


def test_the_bytes_do_not_depend_on_the_order_of_what_was_written() -> None:
    one = replace(QUIET, free={"a": 1, "b": 2}, declined_sites=frozenset(("s1", "s2", "s3")))
    other = replace(QUIET, free={"b": 2, "a": 1}, declined_sites=frozenset(("s3", "s2", "s1")))

    assert inputs_bytes(SAFE_NEED, one) == inputs_bytes(SAFE_NEED, other)


def test_a_ranking_keeps_its_bytes_for_good() -> None:
    """Changing this number means that old rankings no longer replay.

    Then RULES_VERSION goes up.
    """
    need = replace(SAFE_NEED, danger_zones=(zone(radius_km=10),), near_municipality="school")
    situation = replace(QUIET, clearances={"home": {"away": 77}}, near_km={"away": 12})

    recorded = digest(rank_one(need, situation=situation))
    by_the_rules_before = rules_of("2").rank(need, Register((PLACE,)), situation, POLICY)

    assert recorded == "sha256:0a7f92e90ab908ccd759d7925fa269ac62bb0c164bdfe8d1282ff83fec4cec84"
    assert digest(by_the_rules_before) == recorded  # nothing of it has ended
    assert (
        replay(
            inputs_bytes(need, situation), register=Register((PLACE,)), policy=POLICY, rules=NEWEST
        )
        == recorded
    )


def test_what_does_not_fit_is_named_where_it_is() -> None:
    document = document_of(
        replace(SAFE_NEED, danger_zones=(DangerZone("home", 5, dt.date(2026, 5, 1)),))
    )
    document["household"]["adults"].append({"gender": None, "age": "old"})
    document["household"]["pregnant"] = 0
    document["danger_zones"][0]["until"] = "tomorrow"
    document["needs"] = None

    with pytest.raises(Unreadable) as raised:
        read(type(SAFE_NEED), document)

    assert {fault.pointer: fault.message for fault in raised.value.faults} == {
        "/household/adults/1/gender": "must be a text",
        "/household/adults/1/age": "must be a whole number",
        "/household/pregnant": "must be true or false",
        "/danger_zones/0/until": "must be a day, as 2026-01-31",
        "/needs": "must be an array",
    }


def test_what_a_value_refuses_is_a_fault_of_the_document() -> None:
    amsterdam = {**document_of(QUIET), "as_of": "2026-03-01T12:00:00+01:00"}

    with pytest.raises(Unreadable, match="a situation's moment is in UTC"):
        read(Situation, amsterdam)
    with pytest.raises(Unreadable, match="twice"):
        read(Register, {"groups": [document_of(PLACE), document_of(PLACE)]})


def test_a_moment_without_a_zone_is_no_moment() -> None:
    with pytest.raises(ValueError, match="in UTC"):
        replace(QUIET, as_of=dt.datetime(2026, 3, 1))  # noqa: DTZ001


def test_a_register_knows_where_its_sites_are_and_how_many_places_it_has() -> None:
    register = Register(
        (PLACE, replace(PLACE, id="g2", municipality="abroad", places=3), replace(PLACE, id="g3"))
    )

    assert (register.municipalities, register.places) == (("abroad", "away"), 11)


def test_null_is_read_where_it_is_allowed() -> None:
    assert read(Adult, {"gender": "female", "age": None}) == Adult("female", None)
