"""Guessing is slowed down on unknown devices, and keeps nobody from working."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from app.accounts.sign_ins import Device
from app.errors import TooMany
from app.events.allowance import KNOWN_DEVICE_TRIES, UNKNOWN_DEVICE_TRIES, Allowance
from tests.country import Country
from tests.people import keyring, person, sign_in


def limits(country: Country) -> Allowance:
    """Return the installation's limits, which other tests do without."""
    return Allowance(country.parts.link, per_minute=6000)


async def failing(country: Country, proof: Any, *, allowance: Allowance, times: int) -> list[str]:
    """Try to sign in several times; return the answers."""
    outcomes: list[str] = []
    for _ in range(times):
        try:
            outcomes.append(
                "in" if await sign_in(country, proof, allowance=allowance) else "refused"
            )
        except TooMany as told:
            outcomes.append(
                "wait" if 1 <= told.retry_after <= 15 * 60 + 1 else f"{told.retry_after} s"
            )
    return outcomes


@pytest.mark.parametrize("name", ["", "nobody@linde.example"])
async def test_devices_that_never_signed_in_are_slowed_down_whether_there_is_such_a_name_or_not(
    country: Country, name: str
) -> None:
    worker = await person(country, "administrator")
    wrong = await worker.proof(name=name or worker.name, password="een lange dag bij het meer")

    outcomes = await failing(
        country, wrong, allowance=limits(country), times=UNKNOWN_DEVICE_TRIES + 2
    )

    assert outcomes == ["refused"] * UNKNOWN_DEVICE_TRIES + ["wait"] * 2


async def test_no_attacker_keeps_a_worker_out_of_the_device_on_which_she_signed_in(
    country: Country,
) -> None:
    worker = await person(country, "intake_worker", provider="linde")
    allowance = limits(country)
    wrong = await worker.proof(password="een lange dag bij het meer")
    assert (await failing(country, wrong, allowance=allowance, times=UNKNOWN_DEVICE_TRIES + 1))[
        -1
    ] == "wait"

    elsewhere = await worker.proof()
    hers = replace(
        elsewhere, device=Device.read(None, keyring=keyring(country)).after(worker.account_id)
    )

    assert await failing(country, elsewhere, allowance=allowance, times=1) == ["wait"]
    assert await failing(country, hers, allowance=allowance, times=1) == ["in"]


async def test_a_device_that_is_known_is_slowed_down_later_and_by_itself_alone(
    country: Country,
) -> None:
    worker = await person(country, "intake_worker", provider="linde")
    allowance = limits(country)
    wrong = await worker.proof(password="een lange dag bij het meer")
    stolen = replace(wrong, device=wrong.device.after(worker.account_id))

    outcomes = await failing(country, stolen, allowance=allowance, times=KNOWN_DEVICE_TRIES + 1)

    assert outcomes == ["refused"] * KNOWN_DEVICE_TRIES + ["wait"]
    right = await worker.proof()
    assert await failing(country, right, allowance=allowance, times=1) == ["in"]


def test_a_device_remembers_the_last_eight_accounts_and_believes_no_other_cookie(
    country: Country,
) -> None:
    ring = keyring(country)
    accounts = [UUID(int=number) for number in range(1, 11)]
    device = Device.read(None, keyring=ring)
    for account_id in accounts:
        device = device.after(account_id)

    assert Device.read(device.cookie(keyring=ring), keyring=ring) == Device(
        device.id, tuple(accounts[2:])
    )
    for cookie in (
        "",
        "x",
        ring.token(b"short", scope="device"),
        ring.token(device.id, scope="another"),
    ):
        assert Device.read(cookie, keyring=ring).id != device.id
