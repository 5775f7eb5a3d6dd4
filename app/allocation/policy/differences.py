"""The differences between two policies, value by value, by JSON pointer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from app.allocation.policy.documents import document_of, step
from app.allocation.policy.policy import parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHANGED, ADDED, REMOVED = "changed", "added", "removed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that two policies do not have in common; arrays are one value.

    `before` or `after` is what holds without being stated (a field's default), or None, where the
    value was added or taken away. So a policy that only begins to state a default has a difference,
    but changes nothing.
    """

    pointer: str
    change: str
    """changed, added or removed."""
    before: object
    after: object


def differences(before: object, after: object) -> tuple[Difference, ...]:
    """The differences between two policies' documents, in the order of their pointers.

    Raises:
        PolicyFaults: where one of the two is no policy.
    """
    held, holds = _in_force(before), _in_force(after)
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return tuple(
        Difference(
            pointer,
            ADDED if pointer not in old else REMOVED if pointer not in new else CHANGED,
            old.get(pointer, held.get(pointer)),
            new.get(pointer, holds.get(pointer)),
        )
        for pointer in sorted(old.keys() | new.keys())
        if pointer not in old or pointer not in new or old[pointer] != new[pointer]
    )


def _in_force(document: object) -> Mapping[str, object]:
    """Everything that holds under a policy, stated or not."""
    return dict(_leaves(document_of(parse_policy(document))))


def _leaves(value: object, pointer: str = "") -> Iterator[tuple[str, object]]:
    """Every value that is no object, by its pointer."""
    if not isinstance(value, dict):
        yield pointer, value
        return
    for name, part in cast("dict[str, object]", value).items():
        yield from _leaves(part, step(pointer, name))
