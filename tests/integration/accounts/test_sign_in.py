"""Signing in: password and second factor, each code once, and one answer to any fault."""

import asyncio
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from app.accounts import passwords
from app.accounts.sessions import session_hash
from app.accounts.store import sign_in_rows
from app.database.sealing import rotation
from app.database.transaction import Caller
from app.errors import Invalid
from app.seal import Keyring, new_key
from tests.country import Country
from tests.people import PASSWORD, invited, person, sign_in, who

pytestmark = pytest.mark.race


async def logged(country: Country) -> list[tuple[Any, ...]]:
    """Return what the access log says of sign-ins, without times."""
    found = await country.rows(
        "SELECT action, outcome, purpose, account_id, object_id, source FROM access_log"
        " WHERE object_type = 'account' AND action = 'sign_in' ORDER BY id"
    )
    return [tuple(row) for row in found]


async def test_who_has_name_password_and_code_is_let_in_with_the_accounts_roles(
    country: Country,
) -> None:
    worker = await person(country, "intake_worker", provider="linde")

    opened = await sign_in(country, await worker.proof())

    assert opened is not None
    known = await who(country, session_hash(opened.cookie))
    assert known == Caller(
        worker.account_id,
        opened.session_id,
        frozenset({"intake_worker"}),
        country.providers["linde"],
        None,
    )
    assert len(opened.cookie) == 43
    assert opened.cookie not in repr(opened)
    assert (await logged(country))[-1] == (
        "sign_in", "granted", "password", worker.account_id, worker.account_id, "192.0.2.1"
    )  # fmt: skip


async def test_a_cookie_is_no_bearer_token_and_a_token_no_cookie(country: Country) -> None:
    worker = await person(country, "intake_worker", provider="linde")
    token = await country.token("administrator")

    assert await who(country, hashlib.sha256(worker.opened.cookie.encode()).digest()) is None
    assert await who(country, session_hash(token)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "nobody@linde.example"},
        {"password": "een lange dag bij het meer"},
        {"code": "000000"},
        {"code": "no code"},
        {"code": "AAAA BBBB CCCC DDDD"},
        {"name": "nobody@linde.example", "password": "", "code": ""},
    ],
)
async def test_whatever_is_wrong_the_answer_is_the_same_and_is_written_down(
    country: Country, changes: dict[str, str]
) -> None:
    worker = await person(country, "intake_worker", provider="linde")

    assert await sign_in(country, await worker.proof(**changes)) is None

    named = None if "name" in changes else worker.account_id
    assert (await logged(country))[-1] == ("sign_in", "refused", None, None, named, "192.0.2.1")


async def test_names_are_found_however_they_are_typed_and_stand_nowhere_in_the_open(
    country: Country,
) -> None:
    worker = await person(country, "intake_worker", name="J.Jansen@linde.example", provider="linde")

    assert await sign_in(country, await worker.proof(name=" j.jansen@LINDE.example")) is not None

    everything = str(await country.rows("SELECT c::text, c.name FROM credentials AS c"))
    assert "jansen" not in everything.lower()
    with pytest.raises(Invalid) as refused:
        await invited(country, "J.JANSEN@linde.example", "administrator")
    assert [fault.message for fault in refused.value.faults] == ["name_taken"]


@pytest.mark.parametrize(
    "step,in_time", [(-2, False), (-1, True), (0, True), (1, True), (3, False)]
)
async def test_a_code_counts_half_a_minute_around_its_time(
    country: Country,
    step: int,
    in_time: bool,  # noqa: FBT001 - a case
) -> None:
    worker = await person(country, "administrator")
    await worker.next_code()
    code = await worker.code(step=step)

    assert (await sign_in(country, await worker.proof(code=code)) is not None) is in_time


async def test_one_code_opens_one_session_however_many_try_it_at_once(country: Country) -> None:
    worker = await person(country, "administrator")
    proof = await worker.proof()

    answers = await asyncio.gather(*(sign_in(country, proof) for _ in range(6)))

    assert len([opened for opened in answers if opened]) == 1
    assert await sign_in(country, proof) is None


async def test_without_the_guard_one_code_would_open_several(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await person(country, "administrator")
    proof = await worker.proof()

    async def unguarded(*_args: object, proven: bool, **_step: object) -> bool:
        return proven

    monkeypatch.setattr(sign_in_rows, "use_step", unguarded)

    assert all(await asyncio.gather(*(sign_in(country, proof) for _ in range(3))))


async def test_a_code_is_not_used_up_by_who_does_not_know_the_password(country: Country) -> None:
    worker = await person(country, "administrator")
    proof = await worker.proof()

    assert await sign_in(country, replace(proof, password="een lange dag bij het meer")) is None

    assert await sign_in(country, proof) is not None


async def test_a_recovery_code_stands_in_once(country: Country) -> None:
    worker = await person(country, "administrator")
    assert len(worker.recovery_codes) == 10
    proof = await worker.proof(code=worker.recovery_codes[3].lower())

    answers = await asyncio.gather(*(sign_in(country, proof) for _ in range(3)))

    assert len([opened for opened in answers if opened]) == 1
    assert await country.value("SELECT count(*) FROM recovery_codes") == 9


async def test_a_disabled_account_is_let_in_by_nothing(country: Country) -> None:
    worker = await person(country, "administrator")
    await country.rows("UPDATE accounts SET disabled_at = clock_timestamp()")

    assert await who(country, session_hash(worker.opened.cookie)) is None
    assert await sign_in(country, await worker.proof()) is None


async def test_a_password_hashed_with_other_parameters_is_hashed_anew(country: Country) -> None:
    worker = await person(country, "administrator")
    old = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    await country.rows("UPDATE credentials SET password = :old", old=old)

    assert await sign_in(country, await worker.proof()) is not None

    stored = await country.value("SELECT password FROM credentials")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await sign_in(country, await worker.proof()) is not None


async def test_as_much_work_is_done_for_a_name_that_nobody_has(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await person(country, "administrator")
    invitation = await invited(country, "new@linde.example", "administrator")
    assert invitation.account_id
    verified: list[str] = []
    matches = passwords._matches
    monkeypatch.setattr(
        passwords,
        "_matches",
        lambda stored, given: verified.append(stored) or matches(stored, given),
    )

    for name in (worker.name, "nobody@linde.example", "new@linde.example"):
        assert (
            await sign_in(
                country, await worker.proof(name=name, password="een lange dag bij het meer")
            )
            is None
        )

    assert [stored.split("$")[1:4] for stored in verified] == [
        ["argon2id", "v=19", "m=19456,t=2,p=1"]
    ] * 3


async def test_after_a_rotation_the_newest_key_alone_signs_people_in(country: Country) -> None:
    worker = await person(country, "administrator")
    key = new_key()
    both = Keyring.parse(f"{key},{country.key}")
    done = await rotation.rotate(country.owner.transaction, keyring=both)
    # The account's key, and the one that finds names.
    assert done.keys == 2

    country.key = key

    assert await sign_in(country, await worker.proof()) is not None
