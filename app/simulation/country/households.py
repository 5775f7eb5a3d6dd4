"""Invented households that must flee: from where, with whom and from what."""

from app.allocation.values import Adult, Child, Household
from app.reference import Municipality, ReferenceFiles
from app.simulation.country.luck import Luck
from app.simulation.country.values import DemoCase, DemoZone

# Children are 42% of the clients of women's shelter (the field's figures of 2023: 2,815 of 6,695).
CHILDREN = {0: 58, 1: 20, 2: 13, 3: 6, 4: 2, 5: 1}
CHILD_AGES = {
    0: 9,
    1: 8,
    2: 8,
    3: 8,
    4: 7,
    5: 7,
    6: 6,
    7: 6,
    8: 6,
    9: 5,
    10: 5,
    11: 5,
    12: 4,
    13: 4,
    14: 4,
    15: 3,
    16: 3,
    17: 2,
}
GENDERS = {"female": 92, "male": 6, "other": 2}
URGENCIES = {"acute": 45, "urgent": 35, "planned": 20}
REASONS = {"safety": 80, "capacity": 12, "follow_on": 5, "return": 3}
PLANNED_REASONS = frozenset({"follow_on", "return"})
ASSESSMENTS = {"assessed": 72, "none_known": 8, "not_asked": 20}
THREAT_LEVELS = {1: 35, 2: 35, 3: 12, None: 18}
RADII_KM = {
    1: {10: 30, 20: 35, 30: 25, 50: 10},
    2: {20: 20, 30: 30, 50: 35, 75: 15},
    3: {50: 45, 75: 30, 100: 25},
}
"""Radii by threat level: all of them on the policy's list."""
OTHER_CAUSES = {"family": 50, "work": 35, "other": 15}
WHEREABOUTS = {"known": 55, "unknown": 35, "detained": 10}
NEEDS = {
    "children_programme": 0.15,
    "cots": 0.15,
    "school_near": 0.1,
    "interpreter": 0.1,
    "wheelchair": 0.02,
}
ELDEST_PREGNANT = 42
NEEDS_OF_CHILDREN = frozenset({"children_programme", "cots", "school_near"})


class Households:
    """Draws cases one after another; the same seed draws the same ones."""

    def __init__(self, reference: ReferenceFiles, *, seed: int) -> None:
        self._luck = Luck(seed, subject="households")
        self._target_groups = tuple(reference.codes["target_groups"].codes)
        self._languages = reference.demo.languages
        self._inhabitants = {town: town.population for town in reference.municipalities}

    def draw(self) -> DemoCase:
        """Return the next case.

        Origins by population, children two fifths of the people.
        """
        luck = self._luck
        origin = self._somewhere()
        reason = luck.pick(REASONS)
        threat = luck.pick(THREAT_LEVELS)
        assessment = luck.pick(ASSESSMENTS)
        household = self._household()
        return DemoCase(
            urgency="planned" if reason in PLANNED_REASONS else luck.pick(URGENCIES),
            reason=reason,
            origin=origin.code,
            household=household,
            danger_assessment=assessment,
            danger_zones=self._zones(origin, threat or 1) if assessment == "assessed" else (),
            perpetrator_whereabouts=luck.pick(WHEREABOUTS),
            threat_level=threat,
            target_groups=tuple(sorted(luck.some(self._target_groups, count=1)))
            if luck.happens(0.25)
            else (),
            needs=self._needs(household, threat),
            languages=self._spoken(),
            near_municipality=self._somewhere().code if luck.happens(0.15) else None,
        )

    def _somewhere(self) -> Municipality:
        return self._luck.pick(self._inhabitants)

    def _household(self) -> Household:
        luck = self._luck
        count = luck.pick(CHILDREN)
        gender = luck.pick(GENDERS)
        age = luck.between(18, 45) if count else luck.between(18, 72)
        # An unknown age is what an intake worker has at three in the morning.
        adults = [Adult(gender=gender, age=None if luck.happens(0.1) else age)]
        if luck.happens(0.04):
            adults.append(Adult(gender="female", age=luck.between(18, 80)))
        return Household(
            adults=tuple(adults),
            children=tuple(self._child() for _ in range(count)),
            pets=int(luck.happens(0.04)),
            pregnant=gender == "female" and age <= ELDEST_PREGNANT and luck.happens(0.06),
        )

    def _child(self) -> Child:
        luck = self._luck
        age = None if luck.happens(0.03) else luck.pick(CHILD_AGES)
        return Child(age=age, gender=None if luck.happens(0.03) else luck.one(("female", "male")))

    def _zones(self, origin: Municipality, threat: int) -> tuple[DemoZone, ...]:
        radii = RADII_KM[threat]
        zones = {origin.code: DemoZone(origin.code, self._luck.pick(radii), "home")}
        while self._luck.happens(0.3):
            code = self._somewhere().code
            zones.setdefault(
                code, DemoZone(code, self._luck.pick(radii), self._luck.pick(OTHER_CAUSES))
            )
        return tuple(zones.values())

    def _needs(self, household: Household, threat: int | None) -> tuple[str, ...]:
        wanted = {
            need: chance
            for need, chance in NEEDS.items()
            if household.children or need not in NEEDS_OF_CHILDREN
        }
        needs = [need for need, chance in wanted.items() if self._luck.happens(chance)]
        if threat == max(RADII_KM):
            needs.append("confidential_address")
        return tuple(sorted(needs))

    def _spoken(self) -> tuple[str, ...]:
        spoken = dict.fromkeys((self._luck.pick(self._languages), self._luck.pick(self._languages)))
        return tuple(spoken) if self._luck.happens(0.3) else tuple(spoken)[:1]
