"""Chance with a seed: the same seed draws the same on every machine."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import TypeVar
from uuid import UUID

Thing = TypeVar("Thing")


class Luck:
    """One stream of chance, with its own subject so that others do not change it."""

    def __init__(self, seed: int, *, subject: str) -> None:
        # A text seeds by its SHA-512, so neither the hash seed of the process nor its platform
        # matters.
        self._random = Random(f"{subject} {seed}")  # noqa: S311 - invents a demo, guards nothing

    def happens(self, chance: float) -> bool:
        """Return true with this chance, from 0 to 1."""
        return self._random.random() < chance

    def between(self, least: int, most: int) -> int:
        """Return a whole number from least to most, both included."""
        return self._random.randint(least, most)

    def about(self, mean: float, *, most: int) -> int:
        """Draw a whole waiting time with this mean, at most `most`."""
        return min(most, round(self._random.expovariate(1 / mean)))

    def pick(self, weights: Mapping[Thing, float]) -> Thing:
        """Return one of the keys, each as often as its weight says."""
        return self._random.choices(list(weights), list(weights.values()))[0]

    def one(self, things: Sequence[Thing]) -> Thing:
        """Return one of the things, all alike."""
        return self._random.choice(things)

    def some(self, things: Sequence[Thing], *, count: int) -> list[Thing]:
        """Return `count` different ones, in the order of chance.

        All of them when there are fewer.
        """
        return self._random.sample(things, min(count, len(things)))

    def deck(self, cards: Sequence[Thing]) -> Iterator[Thing]:
        """Yield the cards endlessly, reshuffled each time they are used up."""
        while True:
            yield from self.some(cards, count=len(cards))

    def id(self) -> UUID:
        """Return an id that looks like any other."""
        return UUID(int=self._random.getrandbits(128), version=4)


def shares(whole: int, *, weights: Mapping[Thing, float]) -> dict[Thing, int]:
    """Divide a whole number by weight.

    Largest remainders, the first of equals, the sum exact.
    """
    total = sum(weights.values())
    exact = {key: whole * weight / total for key, weight in weights.items()}
    parts = {key: int(part) for key, part in exact.items()}
    missing = whole - sum(parts.values())
    for key in sorted(exact, key=lambda key: parts[key] - exact[key])[:missing]:
        parts[key] += 1
    return parts
