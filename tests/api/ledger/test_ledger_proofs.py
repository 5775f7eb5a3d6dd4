"""Checkpoints and proofs on the wire.

Right for those who check them, and for nobody sooner than they may know.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from app.allocation.ledger.notes import parse_checkpoint, parse_note
from app.allocation.policy.documents import canonical_json
from app.database.transaction import WORKER
from app.ledger import checkpoints, ledger
from app.ledger.signed_notes import signer_of
from tests import rfc9162
from tests.casework import desk
from tests.country import FIRST_LEAF, THERE, Client, Country
from tests.erasures import departed, erase

YESTERDAY = "UPDATE checkpoints SET public_from = public_from - interval '1 day'"


async def seal(country: Country, *, more: int = 0) -> None:
    """Write more leaves, and seal as the worker does."""
    for _ in range(more):
        async with country.owner.transaction() as tx:
            await ledger.append_clear(tx, leaf_type="cap", content={"region": THERE, "nights": 4})
    async with country.parts.database.transaction(actor=WORKER) as tx:
        assert await checkpoints.sign_tree(tx) == 0


async def a_day_passes(country: Country) -> None:
    """Let what was sealed until now have been sealed a day ago."""
    await country.rows("ALTER TABLE checkpoints DISABLE TRIGGER only_grows")
    await country.rows(YESTERDAY)


async def leaves(country: Country) -> list[bytes]:
    """Return every leaf's bytes."""
    return [
        bytes(row.content)
        for row in await country.rows("SELECT content FROM leaves ORDER BY index")
    ]


async def size_for(client: Client) -> int:
    """Return the size of the checkpoint that a client gets."""
    answer = await client.ask("GET", "/ledger/checkpoint", expect=200)
    return parse_checkpoint(parse_note(answer.text)).size


async def hashes(client: Client, path: str, **params: int) -> list[bytes]:
    """Return the hashes of a proof."""
    proof = await client.get(
        f"/ledger/{path}", params={name.rstrip("_"): value for name, value in params.items()}
    )
    return [base64.b64decode(one, validate=True) for one in proof["hashes"]]


async def test_a_checkpoint_is_a_signed_note_as_plain_text(country: Country) -> None:
    await seal(country)
    auditor = await country.client("auditor", region=THERE)
    answer = await auditor.ask("GET", "/ledger/checkpoint", expect=200)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    note = parse_note(answer.content.decode())
    assert parse_checkpoint(note).root == rfc9162.mth(await leaves(country))
    async with country.owner.transaction() as tx:
        (key,) = await checkpoints.verifiers(tx)
    assert signer_of(note, [key]) == key


async def test_those_who_control_see_the_newest_and_everyone_else_that_of_the_last_midnight(
    country: Country,
) -> None:
    await seal(country, more=1)
    await a_day_passes(country)
    await seal(country, more=1)
    for role in ("auditor", "administrator"):
        assert (
            await size_for(await country.client(role, region=THERE if role == "auditor" else None))
            == FIRST_LEAF + 2
        )
    for client in (
        await country.client(),
        await country.client("intake_worker", "coordinator", provider="haven"),
        await country.client("client_system", provider="haven"),
        await country.client(token="plek_nobody"),
    ):
        assert await size_for(client) == FIRST_LEAF + 1


async def test_before_the_first_midnight_the_tree_was_empty_and_before_the_first_sealing_there_is_none(
    country: Country,
) -> None:
    nobody = await country.client()
    problem = await nobody.get("/ledger/checkpoint", expect=503)
    assert problem["detail"] == "No checkpoint has been sealed yet."
    await seal(country)
    assert await size_for(nobody) == 0


async def test_every_proof_holds_for_a_verifier_written_from_the_rfc(country: Country) -> None:
    for _ in range(9):
        await seal(country, more=1)
    there = await leaves(country)
    sizes = range(FIRST_LEAF + 1, len(there) + 1)
    auditor = await country.client("auditor", region=THERE)
    for new in sizes:
        root = rfc9162.mth(there[:new])
        for leaf in range(new):
            proof = await hashes(auditor, "inclusion-proofs", leaf=leaf, size=new)
            assert rfc9162.is_included(there[leaf], leaf, new, proof, root)
        for old in range(FIRST_LEAF + 1, new + 1):
            proof = await hashes(auditor, "consistency-proofs", from_=old, to=new)
            assert rfc9162.is_consistent(old, new, proof, rfc9162.mth(there[:old]), root)
    assert await hashes(auditor, "consistency-proofs", from_=0, to=len(there)) == []


async def test_a_proof_is_for_a_tree_whose_checkpoint_the_asker_may_see(country: Country) -> None:
    await seal(country)
    await seal(country, more=1)
    await a_day_passes(country)
    await seal(country, more=1)
    await seal(country, more=1)
    nobody, auditor = await country.client(), await country.client("auditor", region=THERE)

    async def refused(client: Client, size: int) -> list[int]:
        answers = [
            await client.ask("GET", "/ledger/inclusion-proofs", params={"leaf": 0, "size": size}),
            await client.ask("GET", "/ledger/consistency-proofs", params={"from": 0, "to": size}),
            await client.ask(
                "GET", "/ledger/consistency-proofs", params={"from": size, "to": FIRST_LEAF + 1}
            ),
        ]
        return [answer.status_code for answer in answers]

    assert await refused(nobody, FIRST_LEAF + 1) == [200, 200, 200]
    # An earlier one of that day would tell what happened together; today's are not to be seen; of
    # some there is none.
    assert await refused(nobody, FIRST_LEAF) == [404, 404, 404]
    for size in (FIRST_LEAF + 2, FIRST_LEAF + 3, 99):
        assert await refused(nobody, size) == [404, 404, 400]
    assert await refused(auditor, FIRST_LEAF) == [200, 200, 200]
    assert await refused(auditor, 99) == [404, 404, 400]
    assert (
        await auditor.ask(
            "GET", "/ledger/inclusion-proofs", params={"leaf": 0, "size": FIRST_LEAF + 3}
        )
    ).is_success


async def test_behind_it_the_rows_of_what_was_sealed_today_are_hidden_as_well(
    country: Country,
) -> None:
    await seal(country)
    await a_day_passes(country)
    await seal(country, more=6)
    counts = (
        "SELECT (SELECT count(*) FROM checkpoints) AS checkpoints, (SELECT count(*) FROM "
        "subtrees) AS subtrees"
    )

    async def seen(hashed: bytes) -> tuple[int, int]:
        async with country.parts.database.transaction(hashed) as tx:
            return tuple(await tx.connection.fetchrow(counts))

    assert await seen(b"nobody") == (2, 3)
    assert await seen(await country.hashed("intake_worker", provider="haven")) == (2, 3)
    assert await seen(await country.hashed("auditor", region=THERE)) == (3, 15)


@pytest.mark.parametrize(
    "path, params, pointer",
    [
        ("inclusion-proofs", {"leaf": 2, "size": 2}, "/leaf"),
        ("inclusion-proofs", {"leaf": -1, "size": 2}, "/leaf"),
        ("inclusion-proofs", {"size": 2}, "/leaf"),
        ("inclusion-proofs", {"leaf": 0, "size": "9223372036854775808"}, "/size"),
        ("consistency-proofs", {"from": 2, "to": 1}, "/from"),
        ("consistency-proofs", {"from": 2}, "/to"),
        ("consistency-proofs", {"from": "x", "to": 2}, "/from"),
    ],
)
async def test_what_cannot_be_proven_is_a_fault(
    country: Country, path: str, params: Any, pointer: str
) -> None:
    await seal(country)
    problem = await (await country.client()).get(f"/ledger/{path}", params=params, expect=400)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


async def test_an_auditor_of_a_third_region_learns_nothing_of_a_stay_but_that_there_was_a_leaf(
    country: Country,
) -> None:
    where = await desk(country)
    arrived = await where.arrived()
    await where.receiver.post(
        f"/placements/{arrived['id']}/departure", {"destination": "new_home"}, expect=200
    )
    await seal(country)
    third = await country.client("auditor", region="GM0014")
    items = (await third.get("/ledger/entries"))["items"][FIRST_LEAF:]
    assert [(item["type"], item["opening"]) for item in items] == [
        ("arrival", None),
        ("departure", None),
    ]
    for item in items:
        shown = base64.b64decode(item["leaf"]).decode()
        assert not any(
            word in shown for word in ("GM0", "safety", "crisis", arrived["id"], "sha256")
        )
    await third.get(f"/placements/{arrived['id']}", expect=403)


async def test_erasing_a_client_leaves_every_checkpoint_proof_and_opening_as_it_was(
    country: Country, tmp_path: Path
) -> None:
    where = await desk(country, places=2)
    gone = await departed(where)
    await departed(where)
    await seal(country)
    there = await leaves(country)
    auditor = await country.client("auditor", region=THERE)

    async def seen() -> list[bytes]:
        paths = ["/ledger/checkpoint", "/ledger/entries"]
        paths += [
            f"/ledger/inclusion-proofs?leaf={leaf}&size={len(there)}" for leaf in range(len(there))
        ]
        return [(await auditor.ask("GET", path, expect=200)).content for path in paths]

    before = await seen()
    await erase(country, gone["referralId"], folder=tmp_path)

    assert await seen() == before
    root = parse_checkpoint(parse_note(before[0].decode())).root
    for leaf, answer in enumerate(before[2:]):
        proof = [base64.b64decode(one) for one in json.loads(answer)["hashes"]]
        assert rfc9162.is_included(there[leaf], leaf, len(there), proof, root)
    for item in json.loads(before[1])["items"][FIRST_LEAF:]:
        committed = json.loads(base64.b64decode(item["leaf"]))["commitment"]
        assert hashlib.sha256(canonical_json(item["opening"])).hexdigest() == committed
