"""A site's address within its municipality changes no byte that anybody sees."""

import random
import string
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from app.api.kit.access import ROUTES
from tests.api.calls import WORKING, World, world
from tests.country import FAR, HERE, THERE, Client, Country, move_site
from tests.rounds import rounds

Readers: TypeAlias = Callable[[Country], Awaitable[dict[str, Client]]]

MOVES = rounds(1, soak=10)
LETTERS = string.ascii_letters + string.digits + " ëü-'"
OF_THE_COUNTRY = ("/events", "/openapi.json", "/regions", "/municipalities", "/policies")
"""What has nothing of anybody in it; and what goes on until the client leaves."""
READ = [
    call for call in sorted(ROUTES) if call[0] == "GET" and not call[1].startswith(OF_THE_COUNTRY)
]
NEW_EACH_TIME = {"id", "asOf", "offerId"}
"""What differs between two rankings that are otherwise the same."""
TABLES = """SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace =
'public'::regnamespace
AND relname NOT LIKE 'access_log%' AND relname NOT IN
  ('site_secrets', 'site_proposals', 'dues', 'due_sights', 'outbox', 'rankings', 'answers')
ORDER BY 1"""


def somewhere(luck: random.Random) -> dict[str, str]:
    """Return an address that nobody has, of any length."""

    def words(longest: int) -> str:
        return "".join(luck.choice(LETTERS) for _ in range(luck.randint(1, longest))).strip() or "x"

    return {"street": words(60), "postcode": words(8), "city": words(40)}


async def working(country: Country) -> dict[str, Client]:
    """The owner, a provider with a household there, and a stranger."""
    return {
        slug: await country.client(*WORKING, provider=slug) for slug in ("linde", "haven", "eik")
    }


async def controlling(country: Country) -> dict[str, Client]:
    """Controllers of each region, who administers all, and nobody."""
    found = {
        region: await country.client("auditor", region=region) for region in (HERE, THERE, FAR)
    }
    return found | {
        "administrator": await country.client("administrator"),
        "nobody": await country.client(),
    }


async def all_that_can_be_read(there: World, people: dict[str, Client]) -> dict[str, Any]:
    """Return all answers to all readers, and the tables' content without the sites' seals."""
    seen: dict[str, Any] = {}
    for name, client in people.items():
        for call in READ:
            if call[1].startswith(("/access-log", "/access-notices", "/review-findings")) or call[
                1
            ].endswith("/accesses"):
                continue  # they tell that a site was changed, and nothing of what
            answer = await client.http.request(**there.request(*call))
            headers = {key: value for key, value in answer.headers.items() if key != "x-request-id"}
            seen[f"{name} {call}"] = (answer.status_code, headers, answer.content)
    for row in await there.country.rows(TABLES):
        seen[row.relname] = sorted(
            str(one.words)
            for one in await there.country.rows(
                f"SELECT CAST(t AS text) AS words FROM {row.relname} AS t"  # noqa: S608 - from the catalogue
            )
        )
    return seen


def bare(ranking: Any) -> Any:
    """Return a ranking without what is new in each."""
    if isinstance(ranking, dict):
        return {name: bare(value) for name, value in ranking.items() if name not in NEW_EACH_TIME}
    return [bare(one) for one in ranking] if isinstance(ranking, list) else ranking


@pytest.mark.parametrize("readers", [working, controlling])
async def test_an_address_moves_and_no_other_byte_changes(
    country: Country, readers: Readers
) -> None:
    there = await world(country)
    await country.step()
    people = await readers(country)
    second = await country.client("coordinator", provider="linde")
    luck = random.Random(7431)
    site, ranked = f"/sites/{there.ids['sites']}", there.path("/referrals/{id}/rankings")
    await all_that_can_be_read(there, people)
    ranking = bare(await there.sender.post(ranked))
    shown = await there.receiver.get(site)

    for _ in range(MOVES):
        before, moved = await all_that_can_be_read(there, people), somewhere(luck)
        assert (await there.receiver.patch(site, {"address": moved}))["proposed"]["address"]
        await second.post(f"{site}/approval", {"approve": True}, expect=200)
        assert await there.receiver.get(site) == shown
        after = await all_that_can_be_read(there, people)
        assert {name for name in before if before[name] != after[name]} == set()
        assert before.keys() == after.keys()
        assert bare(await there.sender.post(ranked)) == ranking
        revealed = await there.receiver.post(
            f"{site}/address-reveals", {"purpose": "other"}, expect=200
        )
        assert revealed == {"address": moved}  # it did move


async def test_a_site_that_leaves_its_municipality_is_noticed_by_the_same_comparison(
    country: Country,
) -> None:
    there = await world(country)
    people = await working(country)
    before = await all_that_can_be_read(there, people)
    await move_site(country, there.receiver, there.ids["sites"], municipality=FAR)
    after = await all_that_can_be_read(there, people)
    assert "sites" in {name for name in before if before[name] != after[name]}
