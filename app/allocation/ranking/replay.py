"""The inputs and the result of a ranking as bytes, so that it can be replayed."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from app.allocation.policy.documents import (
    canonical_json,
    content_hash,
    document_of,
    read,
    read_json,
)
from app.allocation.values import Need, Register, Situation

if TYPE_CHECKING:
    from app.allocation.values import Points, Ranking


def inputs_document(need: Need, situation: Situation) -> dict[str, Any]:
    """The inputs of one ranking alone, as JSON.

    They say where a household is in danger: seal them.
    """
    return {"need": document_of(need), "situation": document_of(situation)}


def inputs_of(document: Any) -> tuple[Need, Situation]:  # noqa: ANN401 - JSON
    """The inputs that `inputs_document` wrote.

    Raises:
        Unreadable: when they are not.
    """
    return read(Need, document["need"]), read(Situation, document["situation"])


def inputs_bytes(need: Need, situation: Situation) -> bytes:
    """The inputs as canonical JSON, to be sealed with the ranking."""
    return canonical_json(inputs_document(need, situation))


def register_bytes(register: Register) -> bytes:
    """The register as canonical JSON, groups by id.

    Equal registers have equal bytes, whatever their order.
    """
    groups = sorted(document_of(register)["groups"], key=itemgetter("id"))
    return canonical_json({"groups": groups})


def register_of(content: bytes) -> Register:
    """The register that `register_bytes` wrote.

    Raises:
        Unreadable: when it is not.
    """
    return read_json(Register, content)


def register_hash(register: Register) -> str:
    """`sha256:` and the hash of the register's canonical JSON: what a ranking cites."""
    return content_hash(register_bytes(register))


def digest(ranking: Ranking) -> str:
    """`sha256:` and the hash of all that a ranking says."""
    return content_hash(result_bytes(ranking))


def result_bytes(ranking: Ranking) -> bytes:
    """The ranking's result as canonical JSON.

    Places stand in it by the id of their group; offers share most of their lines of points, so each
    different line stands in it once, in the order of first use, and offers name it by its number.
    """
    lines = _Lines()
    offers = [
        [
            offer.group.id,
            offer.rank,
            offer.band,
            offer.score,
            [lines.number(line) for line in offer.points],
            offer.free,
            offer.cross_regional,
            offer.clearance_km,
            offer.margin_km,
            offer.freshness,
        ]
        for offer in ranking.offers
    ]
    return canonical_json(
        {
            "considered": ranking.considered,
            "excluded": [[out.rule, out.region, out.places] for out in ranking.excluded],
            "lawful_regions": ranking.lawful_regions,
            "lines": lines.distinct(),
            "offers": offers,
            "safety_assessed": ranking.safety_assessed,
        }
    )


class _Lines:
    """The different lines of points of a ranking, each with its number."""

    def __init__(self) -> None:
        self._by_value: dict[tuple[object, ...], int] = {}
        # Offers mostly share the very object, which is quicker to recognise than its value.
        self._by_identity: dict[int, int] = {}

    def number(self, line: Points) -> int:
        known = self._by_identity.get(id(line))
        if known is None:
            value = (line.factor, line.points, *sorted(line.params.items()))
            known = self._by_identity[id(line)] = self._by_value.setdefault(
                value, len(self._by_value)
            )
        return known

    def distinct(self) -> list[tuple[object, ...]]:
        return list(self._by_value)
