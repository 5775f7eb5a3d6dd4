"""Recorded rankings are made again to the last point, by the rules that made them."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from app.allocation.ranking.rank import RULES_VERSION, rank
from app.allocation.ranking.replay import inputs_of
from app.allocation.ranking.rules import CODES
from app.allocation.ranking.versions import VERSIONS, UnknownRules, rules_of
from tests.unit.allocation.ranking.replay_corpus import path_of, recorded, replay, write

LARGEST = 300_000


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_every_ranking_of_the_corpus_replays_identically(version: str) -> None:
    corpus = recorded(version)

    again = [
        replay(one.inputs, register=one.register, policy=one.policy, rules=rules_of(version))
        for one in corpus
    ]

    assert again == [one.digest for one in corpus]
    assert len(corpus) >= 300
    assert len(set(again)) > 300
    assert path_of(version).stat().st_size < LARGEST


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_the_corpus_has_every_rule_and_both_ways_to_make_bands(version: str) -> None:
    corpus, rules, bands = recorded(version), Counter[str](), set[tuple[str, ...]]()
    for one in corpus:
        need, situation = inputs_of(json.loads(one.inputs))
        ranking = rules_of(version).rank(need, one.register, situation, one.policy)
        rules.update(exclusion.rule for exclusion in ranking.excluded)
        bands.add(one.policy.bands)
        rules["offered"] += len(ranking.offers)

    assert set(CODES) <= set(rules)
    assert rules["offered"] > 300
    assert bands == {("safety",), ("safety", "freshness")}


def test_a_corpus_is_written_once() -> None:
    with pytest.raises(FileExistsError):
        write()


def test_new_rankings_are_made_by_the_newest_rules() -> None:
    assert rules_of(RULES_VERSION).rank is rank
    assert rules_of(RULES_VERSION).version == RULES_VERSION
    assert max(VERSIONS, key=int) == RULES_VERSION


def test_rules_that_are_not_here_are_said_to_be_missing() -> None:
    with pytest.raises(
        UnknownRules, match=r"version 0 of the rules, which this release .* cannot be made again"
    ):
        rules_of("0")
