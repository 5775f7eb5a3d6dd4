"""A diary of each simulated household: what was asked for it and where it lived."""

from dataclasses import dataclass, field

from app.allocation.values import Need, Offer, PlaceGroup, Ranking, Situation
from app.simulation.arrivals import ProviderAnswer
from app.simulation.country.past import ACCEPTED, DECLINED, NO_ANSWER, AskedPlace
from app.simulation.guest import Guest


@dataclass(slots=True, eq=False)
class SimulatedStay:
    """A household's time in a place of a group.

    Which of them is found out afterwards.
    """

    asked: tuple[AskedPlace, ...]
    came: int
    left: int | None = None

    @property
    def group(self) -> PlaceGroup:
        """Where."""
        return self.asked[-1].group


@dataclass(slots=True, eq=False)
class DiaryPage:
    """One household's."""

    need: Need
    since: int
    asked: list[AskedPlace] = field(default_factory=list[AskedPlace])
    """Since it came to where it lives."""
    stays: list[SimulatedStay] = field(default_factory=list[SimulatedStay])
    over: int | None = None


class Diary:
    """A page for each household for which anything was asked, or that gave up."""

    def __init__(self, *, answer_minutes: int) -> None:
        self._answer_minutes = answer_minutes
        self.pages: dict[int, DiaryPage] = {}

    def record_answer(
        self,
        guest: Guest,
        offer: Offer,
        made: tuple[Ranking, Situation],
        answer: ProviderAnswer,
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
            AskedPlace(
                at, answer.minutes, said, offer.rank, offer.group, guest.need, ranking, situation
            )
        )
        if answer.accepted:
            self._left_place(page, at=at)
            page.stays.append(SimulatedStay(tuple(page.asked), at))
            page.asked = []

    def record_departure(self, guest: Guest, *, at: int) -> None:
        """Note that a household lives on its own again."""
        page = self._page(guest)
        self._left_place(page, at=at)
        page.over = at

    def record_giving_up(self, guest: Guest, *, at: int) -> None:
        """Note that a household found another way."""
        self._page(guest).over = at

    @staticmethod
    def _left_place(page: DiaryPage, *, at: int) -> None:
        """Note the end of a household's time in its place, if it has one."""
        if page.stays:
            page.stays[-1].left = at

    def _page(self, guest: Guest) -> DiaryPage:
        return self.pages.setdefault(
            guest.arrival.number, DiaryPage(guest.arrival.need, guest.since)
        )
