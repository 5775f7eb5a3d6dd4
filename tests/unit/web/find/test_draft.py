"""The draft of a referral: the API accepts it, or each fault has words."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.api.referrals.referrals import ReferralWanted
from app.database.reference import KnownMunicipality, Reference
from app.deps import PROVIDERS, REFERENCE
from app.reference import load, policy_document
from app.web.find import draft
from app.web.find.draft import Draft
from app.web.find.faults import WORDS, faults_of
from app.web.find.names import Names, names

PROVIDER = "0b6f7a52-9d25-4d0e-8a57-6d2a4f0c2a11"
MUNICIPALITIES = {
    one.code: KnownMunicipality(
        one.code, one.name, one.lat, one.lon, one.population, one.region, one.extent_km
    )
    for one in load().municipalities
}
KNOWN = names(MUNICIPALITIES, "nl")

Fields = list[tuple[str, str]]


@pytest.fixture(autouse=True, scope="module")
def _country() -> Iterator[None]:
    radii = policy_document()["radii_km"]
    known = SimpleNamespace(municipalities=MUNICIPALITIES, policy=SimpleNamespace(radii_km=radii))
    reference, providers = REFERENCE.set(cast("Reference", known)), PROVIDERS.set({PROVIDER})
    yield
    REFERENCE.reset(reference)
    PROVIDERS.reset(providers)


def read_by_the_api(form: Draft) -> dict[str, Any] | dict[str, str]:
    """Return the content that the API would keep of a draft, or its faults by field."""
    try:
        return ReferralWanted.model_validate(draft.body(form, KNOWN)).model_dump(mode="json")
    except ValidationError as refused:
        return faults_of(refused)


def codes(listed: str) -> st.SearchStrategy[str]:
    """Return the codes of a list."""
    return st.sampled_from(sorted(load().codes_of(listed)))


ANYTHING = st.text(max_size=12)
ROWS = ("adult", "child", "zone")
NAMES = st.one_of(
    st.sampled_from(sorted(Draft.__slots__)),
    st.builds(
        "{}-{}-{}".format,
        st.sampled_from(ROWS),
        st.integers(0, 60),
        st.sampled_from(("age", "gender", "municipality", "radius", "cause", "until", "size")),
    ),
    ANYTHING,
)
VALUES = st.one_of(
    ANYTHING,
    st.integers(-3, 200).map(str),
    st.sampled_from(
        (
            "acute",
            "female",
            "assessed",
            "home",
            "known",
            "nl",
            PROVIDER,
            "Den Haag",
            "GM0193",
            "yes",
            "",
        )
    ),
)
RIGHT: dict[str, st.SearchStrategy[str]] = {
    "urgency": codes("urgencies"),
    "origin": st.sampled_from(("Den Haag", "gm0193", " Súdwest-Fryslân ", "bergen nh")),
    "adult-0-gender": codes("genders"),
    "adult-0-age": st.one_of(st.just(""), st.integers(12, 120).map(str)),
    "adult-3-gender": codes("genders"),
    "child-1-age": st.one_of(st.just(""), st.integers(0, 25).map(str)),
    "child-1-gender": st.one_of(st.just(""), codes("child_genders")),
    "pets": st.one_of(st.just(""), st.integers(0, 20).map(str)),
    "danger": codes("danger_assessments"),
    "zone-2-municipality": st.sampled_from(("Zwolle", "'s-hertogenbosch", "Rijswijk")),
    "zone-2-radius": st.sampled_from(
        [str(km) for km in cast("list[int]", policy_document()["radii_km"])]
    ),
    "zone-2-cause": codes("zone_causes"),
    "zone-2-until": st.one_of(
        st.just(""), st.dates().filter(lambda day: 2000 <= day.year <= 2100).map(str)
    ),
    "whereabouts": st.one_of(st.just(""), codes("perpetrator_whereabouts")),
    "threat": st.sampled_from(("", "1", "2", "3")),
    "reason": codes("referral_reasons"),
    "groups": codes("target_groups"),
    "needs": codes("features"),
    "languages": st.sampled_from(("Arabisch", "nl", "")),
    "near": st.sampled_from(("", "Groningen")),
    "barred": st.just(PROVIDER),
    "call_back": st.sampled_from(("", "030 000 11 22")),
}


@given(st.lists(st.tuples(NAMES, VALUES), max_size=40))
def test_whatever_is_sent_is_refused_with_words_or_is_what_the_api_accepts(fields: Fields) -> None:
    found = read_by_the_api(draft.read(fields).without_blanks())

    assert "origin_municipality" in found or all(
        words in WORDS.values() for words in found.values()
    )


@given(st.fixed_dictionaries(RIGHT))
def test_what_is_filled_in_rightly_is_accepted_and_comes_back_as_the_same_form(
    values: dict[str, str],
) -> None:
    found = read_by_the_api(draft.read(values.items()).without_blanks())

    again = read_by_the_api(draft.of_content(found, KNOWN))
    assert "household" in found, found
    assert again == found


@pytest.mark.parametrize(
    "field, value, at",
    [
        ("urgency", "soon", "urgency"),
        ("origin", "Bergen", "origin"),
        ("adult-0-gender", "", "adult-0-gender"),
        ("adult-0-age", "11", "adult-0-age"),
        ("child-1-age", "26", "child-0-age"),
        ("child-1-gender", "other", "child-0-gender"),
        ("pets", "many", "pets"),
        ("zone-2-municipality", "Atlantis", "zone-0-municipality"),
        ("zone-2-radius", "51", "zone-0-radius"),
        ("zone-2-cause", "no idea", "zone-0-cause"),
        ("zone-2-until", "tomorrow", "zone-0-until"),
        ("threat", "4", "threat"),
        ("languages", "tongue 9", "languages"),
        ("near", "nowhere", "near"),
        ("barred", "nobody", "barred"),
        ("call_back", "ring me", "call_back"),
    ],
)
def test_a_fault_is_named_at_its_field(field: str, value: str, at: str) -> None:
    right = {
        "urgency": "acute",
        "origin": "Den Haag",
        "adult-0-gender": "female",
        "child-1-age": "4",
        "danger": "assessed",
        "zone-2-municipality": "Zwolle",
        "zone-2-radius": "50",
    }

    assert "household" in read_by_the_api(draft.read(right.items()))
    assert [*read_by_the_api(draft.read((right | {field: value}).items()))] == [at]


def test_rows_that_nobody_filled_in_count_for_nothing_but_a_child_of_whom_nothing_is_known_does() -> (
    None
):
    form = draft.read(
        [("zone-0-municipality", " "), ("child-0-age", ""), ("languages", "")]
    ).without_blanks()

    assert form.zones == ()
    assert form.languages == ()
    assert len(form.children) == 1


@given(st.lists(st.tuples(NAMES, VALUES), max_size=20), ANYTHING, ANYTHING)
def test_a_row_more_and_a_row_less_whatever_is_asked_for(
    fields: Fields, more: str, less: str
) -> None:
    form = draft.read(fields)

    assert form.with_row("child").without_row(f"child-{len(form.children)}") == form
    assert form.with_row(more) == form or more in ROWS
    assert len(form.without_row(less).adults) >= 1


def test_a_name_that_two_municipalities_have_is_nobodys() -> None:
    assert KNOWN.municipality("Bergen") == "Bergen"
    assert KNOWN.municipality("bergen (nh)") == "GM0373"
    assert KNOWN.municipality("DEN HAAG") == "GM0518"
    assert isinstance(KNOWN, Names)
