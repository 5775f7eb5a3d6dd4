"""The demo country's past as rows.

Referrals, what was asked for them and answered, and where they stayed.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from itertools import islice
from uuid import UUID

from app.allocation.ledger.stays import StayArrival, leaves_due
from app.allocation.ranking.replay import inputs_bytes
from app.allocation.ranking.versions import NEWEST
from app.allocation.values import Need
from app.demo.demo import references
from app.demo.past.lives import RecordedLife, RecordedStay, Surroundings, noted_at
from app.placing import erasure
from app.reference import load
from app.registry.first_load import Values
from app.seal import DataKey
from app.simulation.country.past import (
    ACCEPTED,
    DECLINED,
    AskedPlace,
    HouseholdHistory,
    Past,
    PastStay,
)
from app.simulation.country.register import REFERRALS

MINUTE = timedelta(minutes=1)
DECLINES = {
    "no_capacity_after_all": 30,
    "needs_not_met": 20,
    "household_composition": 15,
    "staffing": 15,
    "other": 10,
}
RELEASES = {
    "client_refused_too_far": 40,
    "client_refused_sharing": 25,
    "found_elsewhere": 20,
    "client_refused_other": 15,
}
OVERRIDES = {
    "client_preference": 40,
    "nearer_to_network": 25,
    "needs_better_met": 20,
    "agreed_by_phone": 10,
    "transport": 5,
}
DESTINATIONS = {
    "new_home": 34,
    "own_home": 16,
    "family_or_friends": 14,
    "returned_home_with_safety_agreements": 14,
    "other_region": 6,
    "care_institution": 6,
    "returned_home_without": 5,
    "unknown": 5,
}
BLOCKERS = {
    "housing": 50,
    "housing_priority": 15,
    "debt": 12,
    "income": 8,
    "residence_status": 8,
    "youth_care": 7,
}
READY_FIRST, READY_NOW = 0.35, 0.12
"""The chance that a readiness to leave was noted of long stays: of past ones, of present ones."""
LONG_ENOUGH = timedelta(days=21)
MOST_BLOCKERS = 2
ONWARD = "follow_on_place"
ON_THE_WAY = 45, 150
"""Minutes from asking for a place to arriving there, answers included where they come quickly."""
INTAKE, LONGEST_INTAKE = 75, 20 * 60
"""Minutes from registering a household to asking for a place: the mean, and the most."""


def record_lives(
    surroundings: Surroundings, past: Past, *, seed: int, report: Callable[[float], None]
) -> list[RecordedLife]:
    """Add the rows of all lives to a batch; return what the ledger and sums need."""
    names = islice(references(seed), REFERRALS, None)
    lives: list[RecordedLife] = []
    for life in past.lives:
        lives.append(_LifeRecord(surroundings, life, next(names)).record_life())
        report(len(lives) / len(past.lives))
    return lives


class _LifeRecord:
    """One life, row by row."""

    def __init__(self, surroundings: Surroundings, life: HouseholdHistory, name: str) -> None:
        self._surroundings, self._life = surroundings, life
        self._luck, self._batch = surroundings.luck, surroundings.batch
        self._id, self._stay_id = self._luck.id(), self._luck.id()
        self._sender = self._luck.one(surroundings.senders[life.need.origin_region])
        self._lead = self._luck.between(*ON_THE_WAY) * MINUTE
        self._over = None if life.over is None else surroundings.moment(life.over)
        self._registered = (
            surroundings.moment(life.since)
            - self._lead
            - self._luck.about(INTAKE, most=LONGEST_INTAKE) * MINUTE
        )
        self._since = self._registered
        self._tell_referral(name)
        self._key = self._seal()

    def record_life(self) -> RecordedLife:
        """Add its rows; return the life as they have it."""
        if self._life.visits:
            row = {
                "id": self._stay_id,
                "referral_id": self._id,
                "provider_id": UUID(self._sender.id),
            }
            self._batch.stays.append(row)
        stays: list[RecordedStay] = []
        for visit in self._life.visits:
            stays.append(
                self._stay(visit, stays[-1] if stays else None, last=visit is self._life.visits[-1])
            )
        for asked in self._life.in_vain:
            self._ask(asked, place_id=self._surroundings.place_in.get(asked.group.id))
        return RecordedLife(self._life, stays)

    def _tell_referral(self, name: str) -> None:
        life, need = self._life, self._life.need
        ended = "ended" if life.visits else "withdrawn"
        self._batch.referrals.append(
            {
                "id": self._id,
                "provider_id": UUID(self._sender.id),
                "reference": name,
                "status": "placed" if self._over is None else ended,
                "urgency": need.urgency,
                "reason": need.reason,
                "origin": need.origin,
                "created_at": self._registered,
                "updated_at": self._over or self._surroundings.moment(life.visits[-1].came),
            }
        )

    def _seal(self) -> DataKey | None:
        """Seal what is known of them.

        Or note that it has been destroyed, as long ago as the policy says.
        """
        if (
            self._over is not None
            and self._over + self._surroundings.kept_for < self._surroundings.at
        ):
            gone = {
                "referral_id": self._id,
                "cause": erasure.RETENTION,
                "at": self._over + self._surroundings.kept_for,
            }
            self._batch.erasures.append(gone)
            return None
        key, wrapped = self._surroundings.keyring.new_data_key(row=str(self._id))
        sealed = key.seal_json(_content(self._life.need, self._sender.phone), row=str(self._id))
        secret = {
            "referral_id": self._id,
            "provider_id": UUID(self._sender.id),
            "key": wrapped,
            "sealed": sealed,
        }
        self._batch.referral_secrets.append(secret)
        return key

    def _ask(self, asked: AskedPlace, *, place_id: UUID | None) -> UUID | None:
        """Tell of a place that was asked for; return the hold."""
        if place_id is None:
            return None
        begun = max(self._since, self._surroundings.moment(asked.at) - self._lead)
        answered = self._since = begun + asked.minutes * MINUTE
        ranking_id, hold_id = self._luck.id(), self._luck.id()
        self._batch.rankings.append(self._ranking(asked, ranking_id, at=begun))
        self._batch.holds.append(
            {
                "id": hold_id,
                "referral_id": self._id,
                "provider_id": UUID(self._sender.id),
                "receiver_id": UUID(asked.group.provider_id),
                "place_id": place_id,
                "site_id": UUID(asked.group.site_id),
                "kind": asked.group.kind,
                "ranking_id": ranking_id,
                "rank": asked.rank,
                "override_reason": self._luck.pick(OVERRIDES) if asked.rank > 1 else None,
                **self._answer(asked, at=answered),
                "expires_at": begun + self._surroundings.reference.policy.answer_minutes * MINUTE,
                "renewals_left": 0,
                "created_at": begun,
                "resolved_at": answered,
            }
        )
        return hold_id

    def _answer(self, asked: AskedPlace, *, at: datetime) -> Values:
        """Say what came of it.

        Where no person had to accept, the household itself thought better of it.
        """
        own = asked.group.provider_id == self._sender.id
        by = "owner" if own else "automatic" if asked.group.automatic_acceptance else "person"
        accepted = {"accepted_by": by, "accepted_at": at}
        if asked.answer == ACCEPTED:
            return {"status": "placed", **accepted, "reason": None}
        if by != "person":
            return {"status": "released", **accepted, "reason": self._luck.pick(RELEASES)}
        declined = asked.answer == DECLINED
        reason = self._luck.pick(DECLINES) if declined else None
        return {
            "status": "declined" if declined else "no_answer",
            "accepted_by": None,
            "accepted_at": None,
            "reason": reason,
        }

    def _ranking(self, asked: AskedPlace, id_: UUID, *, at: datetime) -> Values:
        surroundings, sealed = self._surroundings, b""
        if self._key is not None:
            sealed = self._key.seal(
                inputs_bytes(asked.need, replace(asked.situation, as_of=at)), row=str(id_)
            )
        return {
            "id": id_,
            "referral_id": self._id,
            "provider_id": UUID(self._sender.id),
            "referral_version": 1,
            "register_version": surroundings.snapshot.version,
            "as_of": at,
            "policy_hash": surroundings.reference.policy_hash,
            "register_hash": surroundings.snapshot.hash,
            "rules_version": NEWEST.version,
            "digest": NEWEST.digest(asked.ranking),
            "sealed": sealed,
        }

    def _stay(self, visit: PastStay, before: RecordedStay | None, *, last: bool) -> RecordedStay:
        for asked in visit.asked[:-1]:
            self._ask(asked, place_id=self._surroundings.place_in.get(asked.group.id))
        hold_id = self._ask(visit.asked[-1], place_id=visit.place_id)
        stayed = self._recorded_stay(visit, before, last=last)
        blockers = (
            sorted({self._luck.pick(BLOCKERS) for _ in range(MOST_BLOCKERS)})
            if stayed.ready_since
            else []
        )
        self._batch.placements.append(
            self._placement(stayed, before, last=last)
            | {"hold_id": hold_id, "blockers": blockers, "created_at": self._since}
        )
        self._since = stayed.arrived_at
        self._tell_readiness(stayed, blockers)
        return stayed

    def _placement(
        self, stayed: RecordedStay, before: RecordedStay | None, *, last: bool
    ) -> dict[str, object]:
        """Return what a placement's row says of a stay."""
        visit = stayed.visit
        inside = before is not None and stayed.began_with == before.began_with
        return {
            "id": stayed.id,
            "stay_id": self._stay_id,
            "referral_id": self._id,
            "previous_id": None if before is None else before.id,
            "began_id": stayed.began_with if inside else None,
            "provider_id": UUID(self._sender.id),
            "receiver_id": stayed.receiver_id,
            "place_id": visit.place_id,
            "site_id": UUID(visit.group.site_id),
            "kind": visit.group.kind,
            "status": "arrived" if stayed.departed_at is None else "ended",
            "reason": self._life.need.reason,
            "origin": self._life.need.origin,
            "origin_region": stayed.origin_region,
            "receiving": stayed.receiving,
            "cross_regional": stayed.origin_region != stayed.receiving,
            "arrived_at": stayed.arrived_at,
            "departed_at": stayed.departed_at,
            "destination": self._destination(stayed, last=last),
            "ready_to_leave_since": stayed.ready_since,
        }

    def _recorded_stay(
        self, visit: PastStay, before: RecordedStay | None, *, last: bool
    ) -> RecordedStay:
        id_, receiver, moment = (
            self._luck.id(),
            UUID(visit.group.provider_id),
            self._surroundings.moment,
        )
        inside = None if before is None else before.receiver_id == receiver
        origin_region, receiving = self._life.need.origin_region, visit.group.region
        arrived, departed = moment(visit.came), None if visit.left is None else moment(visit.left)
        return RecordedStay(
            id=id_,
            began_with=before.began_with if before is not None and inside else id_,
            visit=visit,
            receiver_id=receiver,
            origin_region=origin_region,
            receiving=receiving,
            arrived_at=arrived,
            departed_at=departed,
            ready_since=self._ready(arrived, departed) if last else None,
            leaves=leaves_due(
                StayArrival(left_inside=inside, cross_regional=origin_region != receiving)
            ),
        )

    def _ready(self, arrived: datetime, departed: datetime | None) -> date | None:
        """Return since when they were ready to leave, where that was noted.

        In the last third of the time.
        """
        end = departed or self._surroundings.at
        chance = READY_NOW if departed is None else READY_FIRST
        if end - arrived < LONG_ENOUGH or not self._luck.happens(chance):
            return None
        days = (end - arrived).days
        return load().country.day_of(end) - timedelta(days=self._luck.between(1, days // 3))

    def _destination(self, stayed: RecordedStay, *, last: bool) -> str | None:
        if stayed.departed_at is None:
            return None
        return self._luck.pick(DESTINATIONS) if last else ONWARD

    def _tell_readiness(self, stayed: RecordedStay, blockers: Sequence[str]) -> None:
        """Tell since when they were ready to leave, and what kept them."""
        if stayed.ready_since is None:
            return
        noted = noted_at(stayed.ready_since)
        row = {"placement_id": stayed.id, "until": stayed.departed_at}
        self._batch.ready_periods.append(row | {"noted_at": noted, "since": stayed.ready_since})
        self._batch.blocker_periods.extend(
            row | {"code": code, "since": noted} for code in blockers
        )


def _content(need: Need, phone: str) -> Values:
    """Return what is sealed of a referral, as far as the past knows it."""
    return {
        "household": asdict(need.household),
        "danger_assessment": need.danger_assessment,
        "danger_zones": [
            {
                "municipality": zone.municipality,
                "radius_km": zone.radius_km,
                "cause": "home",
                "until": None,
            }
            for zone in need.danger_zones
        ],
        "perpetrator_whereabouts": "unknown",
        "threat_level": need.threat_level,
        "target_groups": list(need.target_groups),
        "needs": list(need.needs),
        "languages": ["nl"],
        "near_municipality": need.near_municipality,
        "barred_providers": [],
        "safety_plan": True,
        "call_back": phone,
    }
