"""Put the demo country into an empty database that Plek started itself.

Nothing in it exists.
"""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from app.accounts.accounts import provider_slugs
from app.database import counters
from app.database.transaction import Transaction
from app.errors import OperatorError
from app.reference import ReferenceFiles, load
from app.referrals.referrals import CONSONANTS, VOWELS
from app.registry import availability, first_load
from app.registry.first_load import Batch, Values
from app.registry.names import hash_name, read_key
from app.seal import DataKey, Keyring
from app.simulation.country.luck import Luck
from app.simulation.country.register import DEFAULT_SEED, LONGEST_HOURS, build_country
from app.simulation.country.values import DemoCountry, DemoPlace, DemoReferral, DemoSite

FOUNDED = timedelta(hours=LONGEST_HOURS)
"""How long ago every site and place was added: before the first household moved in."""
TRAITS = (
    "municipality",
    "address_secrecy",
    "supervision",
    "features",
    "specialisms",
    "exclusive_to",
    "admission",
    "automatic_acceptance",
)
ATTRIBUTES = ("kind", "bed_spaces", "sharing", "genders", "sons_up_to_age", "features")


async def fill(
    tx: Transaction,
    *,
    seed: int = DEFAULT_SEED,
    files: ReferenceFiles | None = None,
) -> DemoCountry:
    """Fill a database that has the reference data and nothing else.

    The same seed gives the same country.
    """
    if await provider_slugs(tx):
        raise OperatorError(
            "The database has providers already: the demo country only fills an empty one."
        )
    country = build_country(files or load(), seed=seed)
    await first_load.add_rows(
        tx, rows_of(country, keyring=tx.keyring, names=await read_key(tx), at=tx.at)
    )
    await counters.advance(tx, "register")
    await availability.refresh_counts(tx)
    return country


def rows_of(country: DemoCountry, *, keyring: Keyring, names: DataKey, at: datetime) -> Batch:
    """Return the country as rows, sealed where it would be sealed.

    Times are reckoned back from `at`.
    """
    batch = Batch()
    for provider in country.providers:
        values = asdict(provider)
        regions = values.pop("regions")
        batch.providers.append(values)
        batch.provider_regions.extend(
            {"provider_id": provider.id, "region": region} for region in regions
        )
    keys: dict[UUID, DataKey] = {}
    for site in country.sites:
        keys[site.id], wrapped = keyring.new_data_key(row=str(site.id))
        batch.sites.append(_site(site, at=at))
        name_hash = hash_name(names, site.name, within=site.provider_id)
        batch.site_secrets.append(
            _site_secret(site, keys[site.id], wrapped) | {"name_hash": name_hash}
        )
    _add_places(batch, country, keys, names=names, at=at)
    _add_referrals(batch, country, keyring=keyring, at=at)
    return batch


def _site(site: DemoSite, *, at: datetime) -> Values:
    confirmed = (
        None if site.confirmed_hours_ago is None else at - timedelta(hours=site.confirmed_hours_ago)
    )
    founded = at - FOUNDED
    traits = {name: _plain(getattr(site, name)) for name in TRAITS}
    return {
        "id": site.id,
        "provider_id": site.provider_id,
        **traits,
        "confirmed_at": confirmed,
        "created_at": founded,
        "status": "approved",
    }


def _site_secret(site: DemoSite, key: DataKey, wrapped: bytes) -> Values:
    address = {"street": site.street, "postcode": site.postcode, "city": site.city}
    sealed = key.seal_json({"name": site.name, "address": address}, row=str(site.id))
    return {"site_id": site.id, "provider_id": site.provider_id, "key": wrapped, "sealed": sealed}


def _add_places(
    batch: Batch,
    country: DemoCountry,
    keys: dict[UUID, DataKey],
    *,
    names: DataKey,
    at: datetime,
) -> None:
    luck = Luck(country.seed, subject="place groups")
    owner = {site.id: site.provider_id for site in country.sites}
    groups: dict[tuple[object, ...], Values] = {}
    for place in country.places:
        attributes = {name: _plain(getattr(place, name)) for name in ATTRIBUTES}
        mark = (place.site_id, *(getattr(place, name) for name in ATTRIBUTES))
        if mark not in groups:
            groups[mark] = {"id": luck.id(), "site_id": place.site_id, **attributes, "places": 0}
        groups[mark]["places"] += 1
        ids: Values = {"provider_id": owner[place.site_id]}
        sealed = keys[place.site_id].seal(place.label.encode(), row=str(place.id))
        batch.places.append(
            ids
            | {
                "id": place.id,
                "site_id": place.site_id,
                "group_id": groups[mark]["id"],
                "created_at": at - FOUNDED,
            }
        )
        label_hash = hash_name(names, place.label, within=place.site_id)
        batch.place_secrets.append(
            ids | {"place_id": place.id, "sealed": sealed, "label_hash": label_hash}
        )
        batch.claims.append(_claim(place, groups[mark]["id"], at=at))
    batch.place_groups.extend(groups.values())


def _claim(place: DemoPlace, group_id: UUID, *, at: datetime) -> Values:
    taken = place.status != "free"
    return {
        "place_id": place.id,
        "group_id": group_id,
        "kind": place.status if taken else None,
        "taken": taken,
        "reason": place.reason,
        "since": at - timedelta(hours=place.status_hours),
    }


def _add_referrals(batch: Batch, country: DemoCountry, *, keyring: Keyring, at: datetime) -> None:
    names = references(country.seed)
    for referral in country.referrals:
        key, wrapped = keyring.new_data_key(row=str(referral.id))
        registered = at - timedelta(minutes=referral.created_minutes_ago)
        batch.referrals.append(
            {
                "id": referral.id,
                "provider_id": referral.provider_id,
                "reference": next(names),
                "urgency": referral.case.urgency,
                "reason": referral.case.reason,
                "origin": referral.case.origin,
                "created_at": registered,
                "updated_at": registered,
            }
        )
        sealed = key.seal_json(content_of(referral), row=str(referral.id))
        secret = {
            "referral_id": referral.id,
            "provider_id": referral.provider_id,
            "key": wrapped,
            "sealed": sealed,
        }
        batch.referral_secrets.append(secret)


def content_of(referral: DemoReferral) -> Values:
    """Return what is sealed of a referral.

    The wire's names in snake_case, without what the case row says openly.
    """
    case = referral.case
    return {
        "household": asdict(case.household),
        "danger_assessment": case.danger_assessment,
        "danger_zones": [asdict(zone) | {"until": None} for zone in case.danger_zones],
        "perpetrator_whereabouts": case.perpetrator_whereabouts,
        "threat_level": case.threat_level,
        "target_groups": list(case.target_groups),
        "needs": list(case.needs),
        "languages": list(case.languages),
        "near_municipality": case.near_municipality,
        "barred_providers": [str(barred) for barred in referral.barred_providers],
        "safety_plan": referral.safety_plan,
        "call_back": referral.call_back,
    }


def references(seed: int) -> Iterator[str]:
    """Yield different codes of the kind that referrals have, from the seed.

    Those of the open referrals first.
    """
    luck = Luck(seed, subject="references")
    told: set[str] = set()
    while True:
        syllables = [luck.one(CONSONANTS) + luck.one(VOWELS) for _ in range(4)]
        code = f"{syllables[0]}{syllables[1]}-{syllables[2]}{syllables[3]}"
        if code not in told:
            told.add(code)
            yield code


def _plain(value: object) -> object:
    """Return a tuple of codes as the list that an array column takes.

    Anything else as it is.
    """
    return list(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else value
