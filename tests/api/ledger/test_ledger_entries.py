"""The ledger's leaves on the wire."""

import base64
import hashlib
import json
from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select, update

from app.allocation.policy.documents import canonical_json
from app.database.sealing import keys
from app.models import Head, Leaf, Opening
from tests.country import FAR, FIRST_LEAF, HERE, THERE, Country

DOCUMENT = {
    "version": 1,
    "type": "arrival",
    "origin": HERE,
    "receiving": THERE,
    "lawful_regions": [THERE],
}


async def leaf(
    country: Country, index: int, *, hours: int = -1, origin: str = HERE, receiving: str = THERE
) -> bytes:
    """Write a leaf of a stay whose opening opens so many hours from now.

    Return its bytes.
    """
    index += FIRST_LEAF
    document = canonical_json(DOCUMENT | {"origin": origin, "receiving": receiving})
    content = canonical_json(
        {
            "version": 1,
            "index": index,
            "type": "arrival",
            "commitment": hashlib.sha256(document).hexdigest(),
        }
    )
    async with country.owner.transaction() as tx:
        key = await keys.read(tx, keys.LEDGER)
        await tx.run(update(Head).where(Head.name == "ledger").values(value=index + 1))
        await tx.run(
            insert(Leaf).values(index=index, type="arrival", content=content, placement_id=uuid4())
        )
        await tx.run(
            insert(Opening).values(
                index=index,
                origin_region=origin,
                receiving_region=receiving,
                opens_at=func.clock_timestamp() + func.make_interval(0, 0, 0, 0, hours),
                sealed=key.seal(document, row=str(index)),
            )
        )
    return content


async def test_leaves_come_in_order_with_their_bytes(country: Country) -> None:
    contents = [await leaf(country, index) for index in range(3)]
    administrator = await country.client("administrator")

    items = (await administrator.get("/ledger/entries"))["items"]

    assert [item["index"] for item in items] == list(range(FIRST_LEAF + 3))
    assert [base64.b64decode(item["leaf"]) for item in items[FIRST_LEAF:]] == contents
    assert [item["type"] for item in items] == ["policy", "weights", *["arrival"] * 3]
    assert json.loads(base64.b64decode(items[1]["leaf"]))["content"]["weights"][THERE] > 0
    assert set(items[0]) == {"index", "type", "leaf", "opening"}


async def test_an_opening_is_for_the_auditors_of_the_two_regions_alone(country: Country) -> None:
    await leaf(country, 0)
    for region, entitled in ((HERE, True), (THERE, True), (FAR, False)):
        auditor = await country.client("auditor", region=region)
        item = (await auditor.get("/ledger/entries"))["items"][FIRST_LEAF]
        assert item["opening"] == (DOCUMENT if entitled else None)
    administrator = await country.client("administrator")
    assert (await administrator.get("/ledger/entries"))["items"][FIRST_LEAF]["opening"] is None


async def test_what_is_sent_of_an_opening_is_what_the_leaf_commits_to(country: Country) -> None:
    await leaf(country, 0)
    auditor = await country.client("auditor", region=HERE)

    item = (await auditor.get("/ledger/entries"))["items"][FIRST_LEAF]

    committed = json.loads(base64.b64decode(item["leaf"]))["commitment"]
    assert hashlib.sha256(canonical_json(item["opening"])).hexdigest() == committed


async def test_an_opening_stays_shut_until_its_time(country: Country) -> None:
    await leaf(country, 0, hours=1)
    auditor = await country.client("auditor", region=HERE)
    assert (await auditor.get("/ledger/entries"))["items"][FIRST_LEAF]["opening"] is None


async def test_reading_goes_on_after_an_index_or_a_cursor(country: Country) -> None:
    for index in range(4):
        await leaf(country, index)
    auditor = await country.client("auditor", region=HERE)

    async def indexes(**query: int | str) -> tuple[list[int], str]:
        page = await auditor.get("/ledger/entries", params=query)
        return [item["index"] for item in page["items"]], page["nextCursor"]

    assert await indexes(after=3) == ([4, 5], None)
    first, cursor = await indexes(after=2, limit=2)
    assert first == [3, 4]
    assert await indexes(cursor=cursor, limit=2) == ([5], None)
    assert await indexes(after=99) == ([], None)


@pytest.mark.parametrize("after", ["-2", "first", "9223372036854775808", "1e3"])
async def test_an_absurd_index_is_a_fault(country: Country, after: str) -> None:
    auditor = await country.client("auditor", region=HERE)
    problem = await auditor.get("/ledger/entries", params={"after": after}, expect=400)
    assert [fault["pointer"] for fault in problem["errors"]] == ["/after"]


async def test_staff_of_providers_do_not_read_the_ledger(country: Country) -> None:
    worker = await country.client("intake_worker", "coordinator", provider="linde")
    await worker.get("/ledger/entries", expect=403)


async def test_an_arrival_opens_with_the_departure_and_not_before(country: Country) -> None:
    await leaf(country, 0, hours=24)
    auditor = await country.client("auditor", region=THERE)
    assert (await auditor.get("/ledger/entries"))["items"][FIRST_LEAF]["opening"] is None

    await leaf(country, 1)
    async with country.owner.transaction() as tx:
        placement_id = (await tx.rows(select(Leaf.placement_id).where(Leaf.index == FIRST_LEAF)))[
            0
        ].placement_id
        await tx.run(update(Head).where(Head.name == "ledger").values(value=FIRST_LEAF + 3))
        ended = {"index": FIRST_LEAF + 2, "type": "departure", "content": b"departure"}
        await tx.run(insert(Leaf).values(**ended, placement_id=placement_id))

    assert (await auditor.get("/ledger/entries"))["items"][FIRST_LEAF]["opening"] == DOCUMENT
