"""What a simulated year leaves behind of each household: what was asked for it, where it lived, and until when."""

from dataclasses import dataclass, field

from app.allocation.values import Need, Offer, PlaceGroup, Ranking, Situation
from app.simulation.arrivals import Answer
from app.simulation.country.lives import ACCEPTED, DECLINED, NO_ANSWER, Asked
from app.simulation.guest import Guest


@dataclass(slots=True, eq=False)
class Stayed:
    """A household's time in a place of a group; which of them is found out afterwards."""

    asked: tuple[Asked, ...]
    came: int
    left: int | None = None

    @property
    def group(self) -> PlaceGroup:
        """Where."""
        return self.asked[-1].group


@dataclass(slots=True, eq=False)
class Page:
    """One household's."""

    need: Need
    since: int
    asked: list[Asked] = field(default_factory=list[Asked])
    """Since it came to where it lives."""
    stays: list[Stayed] = field(default_factory=list[Stayed])
    over: int | None = None


class Diary:
    """A page for each household for which anything was asked, or that gave up."""

    def __init__(self, *, answer_minutes: int) -> None:
        self._answer_minutes = answer_minutes
        self.pages: dict[int, Page] = {}

    def asked(
        self,
        guest: Guest,
        offer: Offer,
        made: tuple[Ranking, Situation],
        answer: Answer,
        *,
        at: int,
    ) -> None:
        """Note what was asked for a household, and where it lives now if that was accepted."""
        ranking, situation = made
        page = self._page(guest)
        said = ACCEPTED if answer.accepted else DECLINED
        if not answer.accepted and answer.minutes == self._answer_minutes:
            said = NO_ANSWER
        page.asked.append(
            Asked(at, answer.minutes, said, offer.rank, offer.group, guest.need, ranking, situation)
        )
        if answer.accepted:
            self._left_place(page, at=at)
            page.stays.append(Stayed(tuple(page.asked), at))
            page.asked = []

    def left(self, guest: Guest, *, at: int) -> None:
        """Note that a household lives on its own again."""
        page = self._page(guest)
        self._left_place(page, at=at)
        page.over = at

    def gave_up(self, guest: Guest, *, at: int) -> None:
        """Note that a household found another way."""
        self._page(guest).over = at

    @staticmethod
    def _left_place(page: Page, *, at: int) -> None:
        """Note the end of a household's time in its place, if it has one."""
        if page.stays:
            page.stays[-1].left = at

    def _page(self, guest: Guest) -> Page:
        return self.pages.setdefault(guest.arrival.number, Page(guest.arrival.need, guest.since))
