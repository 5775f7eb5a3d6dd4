"""Bad input: 400 with every fault named at once, and nothing changed."""

import json
from typing import Any

import pytest

from app.api.kit.bodies import DEEPEST
from app.api.kit.problems import PROBLEM_JSON
from tests.api.calls import JSON, MAY_BE_NOTHING, WITH_BODY, World, answer_to, counts, faults, world
from tests.country import Country, referral_body

NOT_JSON: dict[str, bytes] = {
    "nothing readable": b"{",
    "bytes that are not UTF-8": b'{"urgency": "\xff\xfe"}',
    "UTF-16": '{"urgency": "acute"}'.encode("utf-16"),
    "a byte order mark": '{"urgency": "acute"}'.encode("utf-8-sig"),
    "ten thousand levels of lists": b"[" * 10_000 + b"]" * 10_000,
    "ten thousand levels of objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "a few levels too many": b"[" * (DEEPEST + 2) + b"]" * (DEEPEST + 2),
    "a few hundred levels": b'{"a":' * 400 + b"1" + b"}" * 400,
    "a number of five thousand digits": b'{"household": ' + b"9" * 5000 + b"}",
    "a number beyond all floats": b'{"household": 1e999}',
    "not a number": b'{"household": NaN}',
    "infinity": b'{"household": -Infinity}',
    "half of a surrogate pair": b'{"urgency": "\\ud800"}',
    "half of a surrogate pair in a name": b'{"\\udc00": 1}',
    "a field twice": b'{"urgency": "acute", "urgency": "planned"}',
    "a field twice, deep down": b'{"household": {"adults": [{"age": 1, "age": 40}]}}',
    "a raw control character": b'{"urgency": "a\x00"}',
    "two documents": b"{} {}",
}
NOT_OBJECTS: dict[str, bytes] = {
    "a list": b"[]",
    "a string": b'"acute"',
    "a number": b"0",
    "null": b"null",
    "true": b"true",
}


async def test_a_body_that_is_not_plainly_json_is_refused_by_every_route(country: Country) -> None:
    there = await world(country)
    before = await counts(country)
    for call in WITH_BODY:
        for name, content in (NOT_JSON | NOT_OBJECTS).items():
            if name == "null" and call[1] in MAY_BE_NOTHING:
                continue
            named = faults(await answer_to(there, call, content))
            assert list(named) == [""], f"{call} {name}"
            assert named[""], f"{call} {name}"
    assert await counts(country) == before


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/xml"]
)
@pytest.mark.asyncio
async def test_json_under_another_name_is_not_taken(kept: World, content_type: str) -> None:
    there, country = kept, kept.country
    before = await counts(country)
    for call in WITH_BODY:
        content = json.dumps(there.body(*call)).encode()
        headers = {"Content-Type": content_type} if content_type else {}
        named = faults(await answer_to(there, call, content, headers=headers))
        assert named == {"": "must be sent as application/json"}
    assert await counts(country) == before


async def test_json_in_its_variants_is_taken(country: Country) -> None:
    intake = await country.client("intake_worker", provider="haven")
    for content_type in (
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/merge-patch+json",
    ):
        body = json.dumps(referral_body(), indent=1).encode()
        await intake.ask(
            "POST", "/referrals", content=body, headers={"Content-Type": content_type}, expect=201
        )


async def test_a_body_is_not_even_read_as_such_for_nobody(country: Country) -> None:
    there = await world(country)
    nobody = await country.client()
    wrong_role = await country.client("auditor", region="GM0518")
    for call in WITH_BODY:
        request: dict[str, Any] = {**there.request(*call), "json": None, "content": b"[" * 10_000}
        request["headers"] |= JSON
        assert (await nobody.http.request(**request)).status_code == 401
        somebody = there.receiver if call == ("POST", "/caps") else wrong_role
        assert (await somebody.http.request(**request)).status_code == 403


@pytest.mark.parametrize("announced", [True, False])
async def test_ten_megabytes_are_too_many(country: Country, announced: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    there = await world(country)
    before = await counts(country)
    body = json.dumps(referral_body(callBack="x" * 10_000_000)).encode()

    async def in_parts() -> Any:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    for path in ("/referrals", there.path("/referrals/{id}/withdrawal"), "/nowhere"):
        content = body if announced else in_parts()
        answer = await there.sender.ask("POST", path, content=content, headers=JSON)
        if path == "/nowhere" and answer.status_code == 404:
            continue
        assert (answer.status_code, answer.json()["code"]) == (400, "too_large")
        assert answer.headers["Content-Type"] == PROBLEM_JSON
    assert await counts(country) == before
