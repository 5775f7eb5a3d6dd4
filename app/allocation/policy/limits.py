"""What single fields of a policy may hold: each limit says what is wrong with a value of its type."""

import datetime as dt
import re
from dataclasses import dataclass

BANDS = ("safety", "freshness")
"""What the order can be banded by, in the only order allowed: nothing goes before safety."""

WAITING = ("urgency", "threat", "children", "time")
"""What the waiting list can be ordered by."""


@dataclass(frozen=True, slots=True)
class Between:
    """A whole number from `least` to `most`, and a multiple of `step`."""

    least: int
    most: int
    step: int = 1

    def fault(self, value: int, /) -> str | None:
        """What is wrong with the number, if anything."""
        if self.least <= value <= self.most and value % self.step == 0:
            return None
        multiple = f" and a multiple of {self.step}" if self.step > 1 else ""
        return f"must be from {self.least} to {self.most}{multiple}"


@dataclass(frozen=True, slots=True)
class Written:
    """A text in the form of a regular expression."""

    form: str

    def fault(self, value: str, /) -> str | None:
        """What is wrong with the text, if anything."""
        return None if re.fullmatch(self.form, value) else f"must have the form {self.form}"


class Ascending:
    """One number or more, each above the one before."""

    def fault(self, value: tuple[int, ...], /) -> str | None:
        """What is wrong with the numbers, if anything."""
        return (
            None if value and list(value) == sorted(set(value)) else "must ascend, and not be empty"
        )


class Once:
    """Words of a list, each at most once, and one at least."""

    def __init__(self, *words: str) -> None:
        self._words = words

    def fault(self, value: tuple[str, ...], /) -> str | None:
        """What is wrong with the words, if anything."""
        if value and len(set(value)) == len(value) and set(value) <= set(self._words):
            return None
        return f"must be of {list(self._words)}, each at most once"


class Banded:
    """Bands by which an order can be made."""

    def fault(self, value: tuple[str, ...], /) -> str | None:
        """What is wrong with the bands, if anything."""
        return (
            None if value in {BANDS[:1], BANDS} else f"must be {list(BANDS[:1])} or {list(BANDS)}"
        )


@dataclass(frozen=True, slots=True)
class Years:
    """A day or a moment in the years from `first` to `last`."""

    first: int
    last: int

    def fault(self, value: dt.date, /) -> str | None:
        """What is wrong with the day or moment, if anything."""
        return (
            None
            if self.first <= value.year <= self.last
            else f"must lie in the years {self.first} to {self.last}"
        )
