"""The canary on pages.

Everybody opens every page that their role may, and whatever comes out is searched.
"""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

import httpx

from app.database.caller import ANYONE
from app.reference import load
from app.web.access import PAGES
from tests.api.calls import World
from tests.country import FAR, HERE, THERE, Country
from tests.faults.test_canary import (
    ADDRESS,
    AGE,
    CALL_BACK,
    DESK,
    ELSEWHERE,
    HOUSE,
    LABEL,
    NAME,
    NOTE,
    TOWN,
    ZONE,
    A,
    C,
    D,
    N,
    planted,
)
from tests.web.visitor import browser_of

NAMES = {one.code: one.name for one in load().municipalities}
OF_THE_SITE = (*ADDRESS.values(), NAME, LABEL, NAMES[TOWN])
OF_THE_HOUSEHOLD = (CALL_BACK, f"({AGE})", f'value="{AGE}"', NAMES[ZONE], NOTE)
LISTS = re.compile(
    r"<datalist.*?</datalist>|<select[^>]* name=\"municipality\".*?</select>", re.DOTALL
)
"""What lists every municipality there is, for people who fill in a form."""
ENDLESS = {"/live", "/static/{version}/{name}"}
NOTHING_HERE = {
    *(
        "/dues",
        "/language/{language}",
        "/session/credential",
        "/policies/differences",
        "/share/settlement",
    ),
    *("/share/ledger/checkpoint", "/share/ledger/export", "/share/ledger/proof"),
}
"""They lead elsewhere, ask for more, or have nothing to show where nobody signed in and no quarter
is over."""
OPENED = sorted(
    template for method, template in PAGES if method == "GET" and template not in ENDLESS
)


@dataclass(frozen=True)
class Reader:
    """A person's browser, and who they are."""

    http: httpx.AsyncClient
    role: str
    provider: str = ""

    def opens(self) -> Iterable[str]:
        """Return the pages that are there for this role.

        That there are no others is told by other tests.
        """
        return (
            page
            for page in OPENED
            if (for_whom := PAGES["GET", page].roles) == ANYONE or self.role in for_whom
        )


@dataclass
class Search:
    """What was found where.

    `wrong` is what stands where it must not, `seen` what was rightly seen.
    """

    wrong: set[str] = field(default_factory=set[str])
    seen: set[str] = field(default_factory=set[str])
    answered: set[str] = field(default_factory=set[str])

    def look(self, who: Reader, page: str, answer: httpx.Response, *, stage: str) -> None:
        """Search a page, headers included."""
        assert answer.status_code != 500, f"{page}: {answer.text[:400]}"
        if answer.status_code == 200:
            self.answered.add(page)
        text = LISTS.sub("", answer.text) + str(answer.headers)
        for word in (*OF_THE_SITE, *OF_THE_HOUSEHOLD):
            if word not in text:
                continue
            if may_see(word, who, page, stage=stage):
                self.seen.add(word)
            else:
                self.wrong.add(f"{word} in {page} for {who.role} of {who.provider}, {stage}")


def may_see(word: str, who: Reader, page: str, *, stage: str) -> bool:
    """Whether a reader may see a word on a page that they only open.

    An address, never.
    """
    own_board = who.provider == HOUSE and who.role == C and page.startswith("/places")
    if word in OF_THE_SITE:
        return own_board and word not in ADDRESS.values()
    if word != NOTE and own_board:
        asked_to_take_them_in = page in {"/places", "/places/swaps"}
        coming = {"held": {"/places/incoming"}, "under way": {"/places/moves", "/places/stay/{id}"}}
        return asked_to_take_them_in or page in coming.get(stage, ())
    return who.provider == DESK and who.role == N and page.startswith("/find/{id}")


async def readers(country: Country) -> list[Reader]:
    """Return one browser of each role at each provider and region, and that of nobody."""
    working = [
        Reader(await browser_of(country, role, provider=provider), role, provider)
        for provider in (DESK, HOUSE, ELSEWHERE)
        for role in (N, C)
    ]
    auditing = [
        Reader(await browser_of(country, A, region=region), A) for region in (HERE, THERE, FAR)
    ]
    return [
        *working,
        *auditing,
        Reader(await browser_of(country, D), D),
        Reader(await browser_of(country), "nobody"),
    ]


def path_of(there: World, page: str) -> str:
    """Return the address of a page about what was planted."""
    account = "00000000-0000-4000-8000-000000000000"
    about = {
        "/find": there.ids["referrals"],
        "/places/place": there.ids["places"],
        "/places/site": there.ids["sites"],
        "/places/stay": there.ids["placements"] or account,
        "/share/decisions": there.ids["placements"] or account,
        "/policies": there.ids["policies"],
    }
    before, braced, _ = page.partition("/{id}")
    asked = page.replace("{id}", about.get(before, account) if braced else "").replace(
        "{language}", "nl"
    )
    with_ranking = f"?ranking={there.ids['rankings']}" if page == "/find/{id}" else ""
    return asked + with_ranking


async def open_all(there: World, people: list[Reader], search: Search, *, stage: str) -> None:
    """Let everybody open all that they may."""
    for who in people:
        for page in who.opens():
            search.look(who, page, await who.http.get(path_of(there, page)), stage=stage)


async def test_what_is_planted_stands_on_no_page_but_those_of_whom_it_concerns(
    country: Country,
) -> None:
    search = Search()
    there = await planted(country)
    people = await readers(country)
    # Those who look from outside see most once it is over.
    working = [who for who in people if who.provider]
    await open_all(there, working, search, stage="held")

    await there.receiver.post(
        f"/holds/{there.ids['holds']}/acceptance", {"by": "person"}, expect=200
    )
    placement = await there.sender.post(
        "/placements", {"holdId": there.ids["holds"]}, key=secrets.token_hex(8)
    )
    under_way = World(
        country, there.receiver, there.sender, {**there.ids, "placements": placement["id"]}, ""
    )
    await open_all(under_way, working, search, stage="under way")
    await there.receiver.ask("POST", f"/placements/{placement['id']}/arrival", expect=200)
    left = {"destination": "own_home"}
    await there.receiver.ask(
        "POST", f"/placements/{placement['id']}/departure", json=left, expect=200
    )
    await country.step()
    await open_all(under_way, people, search, stage="over")

    assert search.wrong == set()
    assert search.seen == {
        NAME,
        LABEL,
        NAMES[TOWN],
        *OF_THE_HOUSEHOLD,
    }  # the search finds what there is
    assert search.answered >= {page for page in OPENED if "{id}" not in page} - NOTHING_HERE
