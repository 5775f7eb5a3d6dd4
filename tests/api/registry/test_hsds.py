from typing import Any
from uuid import UUID, uuid4

import pytest
from jsonschema import Draft202012Validator

from tests.country import FAR, THERE, Country, shelter

UUIDS = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
TEXT = {"type": "string", "minLength": 1}


def things(required: tuple[str, ...], **fields: Any) -> dict[str, Any]:
    """Return the schema of an object of the specification, with the fields used here only."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {"id": UUIDS, **fields},
        "additionalProperties": False,
    }


def many(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


# Required fields and code lists as the reference of HSDS 3.1 has them (organization, service,
# location, phone, service_area, service_at_location, and the page of its API).
PHONE = things(
    ("id", "number"),
    number=TEXT,
    type={"enum": ["text", "voice", "fax", "cell", "video", "pager", "textphone"]},
)
LOCATION = things(
    ("id", "location_type"), location_type={"enum": ["physical", "postal", "virtual"]}, name=TEXT
)
AREA = things(("id",), name=TEXT)
AT_LOCATION = things(("id",), location=LOCATION)
ORGANIZATION = things(
    ("id", "name", "description"),
    name=TEXT,
    description=TEXT,
    phones=many(PHONE),
    locations=many(LOCATION),
)
SERVICE = things(
    ("id", "name", "status"),
    organization_id=UUIDS,
    name=TEXT,
    description=TEXT,
    status={"enum": ["active", "inactive", "defunct", "temporarily closed"]},
    phones=many(PHONE),
    service_areas=many(AREA),
    service_at_locations=many(AT_LOCATION),
    organization=ORGANIZATION,
)
PAGE = {
    "total_items": {"type": "integer"},
    "total_pages": {"type": "integer"},
    "page_number": {"type": "integer"},
    "size": {"type": "integer"},
    "first_page": {"type": "boolean"},
    "last_page": {"type": "boolean"},
    "empty": {"type": "boolean"},
}


def check(schema: dict[str, Any], answer: Any) -> None:
    """Fail with every fault that an answer has."""
    faults = [
        f"{error.json_path}: {error.message}"
        for error in Draft202012Validator(schema).iter_errors(answer)
    ]
    assert faults == []


@pytest.mark.parametrize(
    "collection, schema", [("organizations", ORGANIZATION), ("services", SERVICE)]
)
async def test_anybody_may_read_what_is_public_in_the_form_of_the_specification(
    country: Country, collection: str, schema: dict[str, Any]
) -> None:
    await country.provider("linde", regions=(THERE, FAR))
    await country.provider("eik")
    anybody = await country.client()

    page = await anybody.get(f"/hsds/{collection}", params={"perPage": 1})
    last = await anybody.get(f"/hsds/{collection}", params={"perPage": 1, "page": 2})

    check(
        {
            "type": "object",
            "required": [*PAGE, "contents"],
            "properties": {**PAGE, "contents": many(schema)},
        },
        page,
    )
    assert (page["total_items"], page["total_pages"], page["first_page"], page["last_page"]) == (
        2,
        2,
        True,
        False,
    )
    assert (last["last_page"], last["empty"]) == (True, False)
    (one,) = last["contents"]
    assert await anybody.get(f"/hsds/{collection}/{one['id']}") == one
    await anybody.get(f"/hsds/{collection}/{uuid4()}", expect=404)
    assert (await anybody.get(f"/hsds/{collection}", params={"page": 9}))["empty"]


async def test_it_tells_the_regions_and_no_site_however_many_there_are(country: Country) -> None:
    await country.provider("linde", regions=(THERE, FAR))
    anybody = await country.client()
    before = await anybody.get("/hsds/services")

    there = await shelter(
        country, "linde", site={"features": ["wheelchair"], "addressSecrecy": "known"}
    )

    answer = await anybody.ask("GET", "/hsds/services", expect=200)
    assert answer.json() == before
    assert [area["name"] for area in answer.json()["contents"][0]["service_areas"]] == [
        "Groningen",
        "Zwolle",
    ]
    for secret in (
        there.site_id,
        "Voorbeeldstraat",
        "0000 AA",
        "Nergenshuizen",
        "wheelchair",
        "latitude",
    ):
        assert secret not in answer.text
    assert (await anybody.get("/hsds"))["version"] == "3.1"


async def test_ids_last_and_are_each_thing_s_own(country: Country) -> None:
    for slug in ("linde", "eik"):
        await country.provider(slug)
    anybody = await country.client()

    found = (await anybody.get("/hsds/services"))["contents"]

    ids = [one[key] for one in found for key in ("id", "organization_id")]
    ids += [area["id"] for one in found for area in one["service_areas"]]
    ids += [one["phones"][0]["id"] for one in found]
    assert len({UUID(id_) for id_ in ids}) == len(ids) == 8
    assert found == (await anybody.get("/hsds/services"))["contents"]
