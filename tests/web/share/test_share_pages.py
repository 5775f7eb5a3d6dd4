"""Our share without a browser: the answer comes first, and only to its readers."""

import base64
import datetime as dt
import html
import json
import re
from typing import Any

import pytest

from app.allocation.ledger.notes import parse_checkpoint, parse_note
from app.allocation.shares.quarters import quarter_of
from app.web.share import decisions
from tests import rfc9162
from tests.api.shares.test_monitor import a_quarter
from tests.casework import desk
from tests.country import FAR, HERE, THERE, Country
from tests.ledger_stays import local_today, newest, seal, stayed
from tests.quarters import PAST, release_all
from tests.web.share.test_share import sign
from tests.web.visitor import browser_of

DAY = dt.timedelta(days=1)
LAST, BEFORE = newest(), newest(1)


async def seal_quarter(country: Country) -> None:
    """Seal a quarter of twelve safety nights in Zwolle, four of them after ready.

    There are 30 capacity nights as well, and 3 in Groningen.
    """
    first = LAST.first
    await stayed(
        country, first, first + 12 * DAY, lawful_regions=(FAR, THERE), ready_since=first + 8 * DAY
    )
    await stayed(country, first, first + 30 * DAY, reason="capacity", persons="1")
    await stayed(country, first, first + 3 * DAY, receiving=FAR, reason="follow_on")
    await seal(country)


def plain(html: str) -> str:
    """Return the words of a page, with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


async def read(country: Country, path: str, *roles: str, expect: int = 200, **of: Any) -> str:
    """Return the words of a page as a new account with this role sees it."""
    answer = await (await browser_of(country, *roles, **of)).get(path)
    assert answer.status_code == expect, answer.text
    return plain(answer.text)


@pytest.mark.parametrize(
    "region, said",
    [
        (THERE, r"Ja: [\d,]+ nachten meer dan het aandeel\."),
        (FAR, r"Nee: [\d,]+ nachten minder dan het aandeel\."),
    ],
)
async def test_whether_a_region_carried_more_than_its_share_is_the_first_thing_said(
    country: Country, region: str, said: str
) -> None:
    await seal_quarter(country)

    page = await read(country, "/share", "auditor", region=region)

    assert re.search(said, page)


async def test_both_accounts_and_the_nights_after_ready_are_told_apart(country: Country) -> None:
    await seal_quarter(country)

    page = await read(country, "/share", "auditor", region=THERE)

    assert "gaf Zwolle 8 veiligheidsnachten" in page
    assert "Nachten die anderen het schuldig zijn 30" in page
    assert "Nachten bij de eigen organisaties 4" in page
    assert "nooit verrekend met veiligheidsnachten" in page


async def test_the_administrator_sees_the_whole_country_and_no_region_of_their_own(
    country: Country,
) -> None:
    await seal_quarter(country)

    page = await read(country, "/share", "administrator")

    assert re.search(r"Samen zitten de regio's [\d,]+\s?% naast een gelijke verdeling\.", page)
    assert "Waarom?" not in page


async def test_before_the_first_quarter_is_added_up_it_says_when_that_will_be(
    country: Country,
) -> None:
    await stayed(country, local_today())

    page = await read(country, "/share", "auditor", region=THERE)

    assert re.search(r"Het eerste wordt opgeteld op \d+ \w+ 20\d\d", page)


async def test_a_quarter_can_be_chosen_and_another_than_those_there_are_cannot(
    country: Country,
) -> None:
    await stayed(country, BEFORE.first, BEFORE.first + 20 * DAY)
    await seal_quarter(country)

    page = await read(country, f"/share?quarter={BEFORE}", "auditor", region=THERE)

    assert "gaf Zwolle 20 veiligheidsnachten" in page
    await read(country, "/share?quarter=2020-Q1", "auditor", region=THERE, expect=404)


async def test_a_settlement_is_the_two_regions_own(country: Country) -> None:
    await seal_quarter(country)

    there = await read(country, "/share/settlement", "auditor", region=THERE)

    assert f"{HERE},{THERE},capacity,30,0,1" in there
    assert FAR not in there
    await read(country, "/share/settlement", "administrator", expect=403)


async def send(http: Any, path: str, **fields: str) -> Any:
    """Send a form of a page, as the browser of its reader does."""
    value = re.search(r'name="csrf" value="([^"]+)"', (await http.get("/share/caps")).text)
    return await http.post(
        path,
        data={"csrf": value[1] if value else "", **fields},
        headers={"Sec-Fetch-Site": "same-origin"},
    )


def cap(**changes: str) -> dict[str, str]:
    """Return the form of a cap, filled in."""
    until = (local_today() + 30 * DAY).isoformat()
    return {"at_most": "3", "reason": "own_waiting_list", "first": "", "until": until} | changes


async def test_a_cap_is_set_only_after_it_was_said_what_it_does_and_is_withdrawn(
    country: Country,
) -> None:
    http = await browser_of(country, "auditor", region=THERE)

    asked = await send(http, "/share/caps/confirmation", **cap())
    assert "Wie vlucht, wordt altijd toegelaten" in plain(asked.text)
    assert await country.value("SELECT count(*) FROM caps") == 0
    done = await send(http, "/share/caps", **cap())
    assert (done.status_code, done.headers["location"]) == (303, "/share/caps")
    again = await send(http, "/share/caps", **cap())
    assert again.status_code == 409
    assert "Uw regio heeft op een van deze dagen al een maximum" in again.text
    seen = await read(country, "/share/caps", "auditor", region=FAR)
    assert "Zwolle: hoogstens 3" in seen
    assert "Trek dit maximum in" not in seen
    cap_id = await country.value("SELECT id FROM caps")
    other = await browser_of(country, "auditor", region=FAR)
    assert (await send(other, f"/share/caps/{cap_id}/withdrawal")).status_code == 404
    assert (await send(http, f"/share/caps/{cap_id}/withdrawal")).status_code == 303
    assert "ingetrokken op" in plain((await http.get("/share/caps")).text)


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"at_most": "many"}, "Vul een heel getal in"),
        ({"at_most": "2000"}, "Vul een heel getal in"),
        ({"reason": ""}, "Kies een reden."),
        ({"first": "2020-01-01"}, "Kies een dag vanaf vandaag"),
        ({"until": "2099-01-01"}, "Kies een dag binnen drie maanden"),
        ({"until": ""}, "Kies een dag binnen drie maanden"),
    ],
)
async def test_a_fault_in_a_cap_stands_beside_its_field(
    country: Country, changes: dict[str, str], said: str
) -> None:
    http = await browser_of(country, "auditor", region=THERE)

    for path in ("/share/caps/confirmation", "/share/caps"):
        answer = await send(http, path, **cap(**changes))
        assert answer.status_code == 400
        assert said in answer.text
    assert await country.value("SELECT count(*) FROM caps") == 0


async def test_only_the_two_regions_read_what_a_line_says_and_how_it_was_decided(
    country: Country,
) -> None:
    where = await desk(country, places=2)
    placement = await where.arrived()
    path = f"/share/decisions/{placement['id']}"
    here, there, far = [
        await browser_of(country, "auditor", region=region) for region in (HERE, THERE, FAR)
    ]
    assert (await here.get(path)).status_code == 404
    assert "opname" not in plain((await here.get("/share/ledger")).text)

    await where.receiver.post(
        f"/placements/{placement['id']}/departure", {"destination": "own_home"}, expect=200
    )

    for http in (here, there):
        shown = plain((await http.get(path)).text)
        assert "komt er precies dezelfde rangorde uit" in shown
        assert "Zwolle" in shown
        assert placement["id"] in (await http.get("/share/decisions")).text
        assert "van 's-Gravenhage naar Zwolle" in plain(
            (await http.get("/share/ledger")).text
        ).replace("&#39;", "'")
    assert (await far.get(path)).status_code == 404
    assert placement["id"] not in (await far.get("/share/decisions")).text
    third = plain((await far.get("/share/ledger")).text)
    assert "Personen" not in third
    assert "opname" not in third
    assert placement["id"] not in (await far.get("/share/decisions/report")).text
    assert (await there.get("/share/ledger/export")).status_code == 503
    await sign(country)
    for auditor, opened in ((there, 2), (far, 0)):
        lines = [
            json.loads(line)
            for line in (await auditor.get("/share/ledger/export")).text.splitlines()
        ]
        assert sum(line["opening"] is not None for line in lines) == opened
        note = (await auditor.get("/share/ledger/checkpoint")).text
        assert (
            rfc9162.mth([base64.b64decode(line["leaf"]) for line in lines])
            == parse_checkpoint(parse_note(note)).root
        )


async def test_nobody_left_although_there_was_room(country: Country) -> None:
    await arrived_from_a_full_region(country)
    here = await browser_of(country, "auditor", region=HERE)

    page = plain(
        (await here.get(f"/share/decisions/report?quarter={quarter_of(local_today())}")).text
    )

    assert "Nee. De ene beslissing is gecontroleerd." in page
    assert "niets vrij dat mocht" in page


async def test_older_decisions_of_a_quarter_are_checked_on_a_page_of_their_own(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "CHECKED", 1)
    await arrived_from_a_full_region(country)
    here = await browser_of(country, "auditor", region=HERE)

    first = (await here.get(f"/share/decisions/report?quarter={quarter_of(local_today())}")).text
    older = re.search(r'href="(/share/decisions/report\?quarter=[^"]+cursor=[^"]+)"', first)
    assert older
    rest = (await here.get(html.unescape(older[1]))).text

    assert "Nee, bij geen van deze: 1 beslissing van dit kwartaal is gecontroleerd." in plain(first)
    assert "Er zijn geen oudere: alle van dit kwartaal zijn gecontroleerd." in plain(rest)
    assert "cursor=" not in rest


async def arrived_from_a_full_region(country: Country) -> None:
    """Let a household of Den Haag stay in Zwolle, because nothing is free at home."""
    where = await desk(country, places=2)
    placement = await where.arrived(
        reason="capacity", dangerAssessment="none_known", dangerZones=[]
    )
    await where.receiver.post(
        f"/placements/{placement['id']}/departure", {"destination": "own_home"}, expect=200
    )


@pytest.mark.parametrize(
    "path",
    [
        *("/share", "/share/settlement", "/share/ledger", "/share/ledger/proof?leaf=0&size=1"),
        *("/share/ledger/checkpoint", "/share/ledger/export", "/share/caps", "/share/decisions"),
        *(
            "/share/decisions/report",
            "/share/decisions/0",
            "/share/figures",
            "/share/figures/download",
        ),
    ],
)
async def test_providers_have_no_share_to_look_at(country: Country, path: str) -> None:
    await read(country, path, "coordinator", "intake_worker", provider="linde", expect=403)
    await read(country, path, expect=303)


async def test_few_are_told_in_words_and_never_as_a_number(country: Country) -> None:
    await a_quarter(country)
    await release_all(country)

    page = await read(country, f"/share/figures?quarter={PAST}", "auditor", region=THERE)

    assert "minder dan 10" in page
    assert "K1 2026 40 26" in page
    assert "er eindigden te weinig verblijven" in page
    far = await read(country, f"/share/figures?quarter={PAST}", "auditor", region=FAR)
    assert "K1 2026 12" in far, far
    lines = await read(country, f"/share/figures/download?quarter={PAST}", "auditor", region=FAR)
    assert f"{PAST},{THERE},inflow,,,40" in lines


async def test_only_the_two_regions_see_the_nights_between_them(country: Country) -> None:
    await a_quarter(country)
    await stayed(country, PAST.first, PAST.first + 3 * DAY)
    await release_all(country)
    path = f"/share/figures?quarter={PAST}"
    assert "nog niet opgeteld" in await read(country, path, "auditor", region=THERE)
    await seal(country)

    there = await read(country, path, "auditor", region=THERE)
    far = await read(country, path, "auditor", region=FAR)
    national = await read(country, path, "administrator")

    assert "Gravenhage Zwolle 3" in there.replace("&#39;", "'")
    assert "Er waren er geen." in far
    assert "Gravenhage Zwolle" not in far
    assert "Van regio naar regio" not in national


async def test_before_the_first_release_it_says_when_there_will_be_figures(
    country: Country,
) -> None:
    assert "7 dagen na afloop van een kwartaal" in await read(
        country, "/share/figures", "administrator"
    )
