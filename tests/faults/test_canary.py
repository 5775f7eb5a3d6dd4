"""A canary: plant unique words, have everybody ask for everything, search what comes."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from app.api.kit.access import ROUTES
from app.logs import configure
from tests.api.calls import World, swap_for
from tests.api.live_service import beginning, following, served
from tests.conftest import Server
from tests.country import (
    FAR,
    HERE,
    THERE,
    Client,
    Country,
    hold_first,
    place_body,
    referral_body,
    standing_site,
)

ADDRESS = {"street": "Kanariepad 7431", "postcode": "7431 QX", "city": "Zeeschelpdam"}
TOWN = "GM0180"
"""Where the planted site is: a small municipality of the region of Zwolle, that nothing else is
about."""
NAME, LABEL = "Wielewaal 7431", "kamer 7431"
ZONE, CALL_BACK, AGE = "GM1903", "000-743 17 43", 97
NOTE = "Belt vanuit de Wulpenhof 7431."

PLACE_WORDS = (*ADDRESS.values(), NAME, LABEL)
CASE_WORDS = (CALL_BACK, f'"age":{AGE}', ZONE, NOTE)
STORED_WORDS = (
    *PLACE_WORDS,
    CALL_BACK,
    NOTE,
    f'"age":{AGE}',
    f'"age": {AGE}',
    f'"municipality":"{ZONE}"',
)
"""As they would stand in a file; the zone's code alone is in the table of all municipalities."""

DESK, HOUSE, ELSEWHERE = "haven", "linde", "eik"
N, C, S, A, D = "intake_worker", "coordinator", "client_system", "auditor", "administrator"
READING = [call for call in sorted(ROUTES) if call[0] == "GET"]
ASKING = [
    *READING,
    ("POST", "/rankings/{id}/replays"),
    ("POST", "/sites/{id}/address-reveals"),
    ("POST", "/placements/{id}/address-reveals"),
]
CHANGING = [call for call in sorted(ROUTES) if call[0] != "GET" and call not in ASKING]


@dataclass(frozen=True)
class Somebody:
    """A client, and what it is."""

    client: Client
    role: str
    provider: str | None = None

    def __str__(self) -> str:
        return f"{self.role} of {self.provider}" if self.provider else self.role


@dataclass
class Search:
    """What was found where.

    `wrong` is what stands where it must not, `seen` what was rightly seen.
    """

    wrong: set[str] = field(default_factory=set[str])
    seen: set[str] = field(default_factory=set[str])

    def look(self, who: Somebody, call: tuple[str, str], answer: Any, *, stage: str) -> None:
        """Search an answer, headers included."""
        text = answer.text + "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        for word in (*PLACE_WORDS, *CASE_WORDS):
            if word not in text or (
                word == ZONE and call[1] in {"/municipalities", "/openapi.json"}
            ):
                continue
            if may_see(word, who, call, stage=stage):
                self.seen.add(word)
            else:
                self.wrong.add(
                    f"{word} in {' '.join(call)} for {who}, {stage}: {answer.status_code}"
                )


PLACEMENTS = {"/placements", "/placements/{id}"}


def may_see(word: str, who: Somebody, call: tuple[str, str], *, stage: str) -> bool:
    """Whether the wire contract lets a caller see a word in an answer."""
    method, template = call
    if word in ADDRESS.values():
        sender = who.provider == DESK and stage == "under way" and who.role == N
        owner = who.provider == HOUSE and who.role in {N, C}
        return (template == "/placements/{id}/address-reveals" and sender) or (
            template == "/sites/{id}/address-reveals" and owner
        )
    if word in {NAME, LABEL}:
        return (
            who.provider == HOUSE
            and template.startswith(("/sites", "/places"))
            and "reveals" not in template
        )
    if word == NOTE:
        return who.provider == DESK and who.role == N and template == "/referrals/{id}/contacts"
    if who.provider == DESK:
        return who.role == N and template.startswith("/referrals") and "ranking" not in template
    if (method, template) == ("GET", "/swaps/{id}"):
        return who.provider == HOUSE and who.role in {
            N,
            C,
        }  # asked to take them in, whatever became of the hold
    promised = template.startswith("/holds") or (template in PLACEMENTS and stage == "under way")
    coming = method == "GET" and promised and stage != "over"
    return who.provider == HOUSE and who.role in {N, C} and coming


async def everybody(country: Country) -> list[Somebody]:
    """One client of each role at each provider and region, and one who is nobody."""
    working = [
        Somebody(await country.client(role, provider=provider), role, provider)
        for provider in (DESK, HOUSE, ELSEWHERE)
        for role in (N, C, S)
    ]
    auditing = [
        Somebody(await country.client(A, region=region), A) for region in (HERE, THERE, FAR)
    ]
    return [
        *working,
        *auditing,
        Somebody(await country.client(D), D),
        Somebody(await country.client(), "nobody"),
    ]


async def planted(country: Country) -> World:
    """Plant the canary: a site that nobody may find, and a household on its way there."""
    house = await country.client(N, C, S, provider=HOUSE)
    site = await standing_site(country, HOUSE, name=NAME, address=ADDRESS, municipality=TOWN)
    await house.post(f"/sites/{site['id']}/confirmations")
    place = await house.post("/places", place_body(site["id"], label=LABEL))
    desk = await country.client(N, C, S, provider=DESK)
    wanted = referral_body(
        household={"adults": [{"gender": "female", "age": AGE}], "children": []},
        dangerZones=[{"municipality": ZONE, "radiusKm": 30, "cause": "family"}],
        callBack=CALL_BACK,
    )
    referral = await desk.post("/referrals", wanted, key="planted")
    await desk.post(f"/referrals/{referral['id']}/contacts", {"note": NOTE}, key="planted")
    used = {"kind": "hotel", "responsibleProviderId": str(country.providers[HOUSE])}
    alternative = await desk.post(f"/referrals/{referral['id']}/alternatives", used, key="planted")
    ranking = await desk.post(f"/referrals/{referral['id']}/rankings")
    hold = await hold_first(desk, referral_id=referral["id"], key="planted")
    ids = {
        "sites": site["id"],
        "places": place["id"],
        "referrals": referral["id"],
        "alternatives": alternative["id"],
        "rankings": ranking["id"],
        "holds": hold["id"],
        "placements": "",
        "policies": ranking["policy"]["version"],
        "swaps": await swap_for(country, referral["id"], place_id=place["id"]),
    }
    return World(country, house, desk, ids, ranking["offers"][0]["offerId"])


async def ask(
    there: World,
    people: list[Somebody],
    calls: list[tuple[str, str]],
    search: Search,
    *,
    stage: str,
) -> None:
    """Let everybody make some calls, with right and with wrong input."""
    for who in people:
        for call in calls:
            request = there.request(*call)
            search.look(who, call, await who.client.http.request(**request), stage=stage)
            if call[0] != "GET":
                nonsense: dict[str, Any] = request | {
                    "json": {"purpose": NAME, "address": 7, "household": CALL_BACK}
                }
                answer = await who.client.http.request(**nonsense)
                assert answer.status_code < 500, answer.text
                search.look(who, call, answer, stage=stage)


async def brought(there: World, *, stage: str) -> World:
    """Let the household come as far as a stage: held, under way, or over."""
    if stage == "held":
        return there
    await there.receiver.post(
        f"/holds/{there.ids['holds']}/acceptance", {"by": "person"}, expect=200
    )
    placement = await there.sender.post(
        "/placements", {"holdId": there.ids["holds"]}, key=secrets.token_hex(8)
    )
    further = World(
        there.country,
        there.receiver,
        there.sender,
        {**there.ids, "placements": placement["id"]},
        "",
    )
    if stage == "over":
        await there.receiver.ask("POST", f"/placements/{placement['id']}/arrival", expect=200)
        left = {"destination": "own_home"}
        await there.receiver.ask(
            "POST", f"/placements/{placement['id']}/departure", json=left, expect=200
        )
        await there.country.step()
    return further


@pytest.mark.parametrize(
    "stage, calls",
    [
        ("held", ASKING),
        ("under way", ASKING),
        ("over", ASKING),
        ("over", CHANGING[::2]),
        ("over", CHANGING[1::2]),
    ],
)
async def test_what_is_planted_stands_only_where_the_contract_says(
    country: Country,
    embedded: Server,
    servers_folder: Path,
    capfd: pytest.CaptureFixture[str],
    stage: str,
    calls: list[tuple[str, str]],
) -> None:
    configure("debug")
    search = Search()
    there = await brought(await planted(country), stage=stage)

    await ask(there, await everybody(country), calls, search, stage=stage)

    assert search.wrong == set()
    if calls is ASKING:
        assert search.seen == {*PLACE_WORDS, *CASE_WORDS}  # the search finds what there is
    await _elsewhere(country, embedded, servers_folder)
    logged = capfd.readouterr()
    assert '"event": "request"' in logged.err
    assert _found(logged.out + logged.err) == []


async def _elsewhere(country: Country, embedded: Server, servers_folder: Path) -> None:
    """Search events, metrics, pages, Redis, the tables and the very files of the database."""
    token = await country.token(N, C, provider=HOUSE)
    first = await beginning(country, token)
    async with served(country.app) as base, following(base, token, after=first) as stream:
        told = [await stream.next() for _ in range(3)]
        nobody = await country.client()
        pages = [
            (await nobody.http.get(f"{base}{path}")).text
            for path in ("/", "/metrics", "/health/ready", "/v1/x")
        ]
    assert _found(str(told), *pages) == []
    assert [words async for words in _kept_in_redis(embedded) if _found(words)] == []
    tables = await country.rows(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    for table in tables:
        rows = await country.rows(f"SELECT CAST(t AS text) AS words FROM {table.relname} AS t")  # noqa: S608 - from the catalogue
        assert _found(*(row.words for row in rows)) == [], table.relname
    files = list(_files(servers_folder))
    assert any("pg_wal" in file.parts for file in files)
    assert [str(file) for file in files if _found_in(file)] == []


def _found(*texts: str) -> list[str]:
    return [word for word in STORED_WORDS for text in texts if word in text]


async def _kept_in_redis(embedded: Server) -> AsyncIterator[str]:
    client = redis.asyncio.Redis.from_url(embedded.redis_url)
    async for key in client.scan_iter():
        yield f"{key} {await client.dump(key)}"
    await client.aclose()


def _files(folder: Path) -> Iterator[Path]:
    """Yield its files, passing over folders of other tests that go meanwhile."""
    files = (Path(where) / name for where, _, names in os.walk(folder) for name in names)
    return (file for file in files if file.is_file() and not file.is_symlink())


def _found_in(file: Path) -> bool:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return False  # a database of another test, which has gone meanwhile
    return any(word.encode() in content for word in STORED_WORDS)
