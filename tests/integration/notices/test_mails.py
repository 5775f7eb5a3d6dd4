"""Whom a mail goes to, what it says, and that it comes once, whatever the server does."""

import asyncio
import ssl
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.accounts import staff
from app.accounts.sessions import session_hash
from app.accounts.staff import AccountWanted
from app.config import Settings, read_settings
from app.database.transaction import WORKER
from app.errors import OperatorError
from app.notices import postman as postmen
from app.notices.mail_server import MailServer
from app.notices.store import mail_rows
from tests.certificates import certificate
from tests.country import Country
from tests.mail_receiver import LINK, SENDER, deliver, postman, receiving_mails
from tests.people import Person, person

COUNTS = "SELECT count(*) FROM mails WHERE outcome IS NOT DISTINCT FROM :outcome"
STAFF = frozenset({"intake_worker", "coordinator"})


@pytest.fixture
async def chief(country: Country) -> Person:
    """An administrator."""
    return await person(country, "administrator", name="chief@plek.example")


async def invite(country: Country, chief: Person, name: str = "new@linde.example") -> None:
    """Have an administrator invite a person at linde."""
    wanted = AccountWanted(STAFF, await country.provider("linde"), None, "Nieuw")
    async with country.parts.database.transaction(session_hash(chief.opened.cookie)) as tx:
        await staff.invite(tx, wanted, sign_in_name=name, embedded=True)


async def outcomes(country: Country, outcome: str | None) -> int:
    """Return how many mails came to this."""
    count: int = await country.value(COUNTS, outcome=outcome)
    return count


async def test_everyone_at_the_provider_is_written_to_and_the_mail_tells_a_bystander_nothing(
    country: Country, chief: Person
) -> None:
    await person(country, "coordinator", name="c@linde.example", provider="linde")
    await person(country, "intake_worker", name="w@linde.example", provider="linde")
    await person(country, "intake_worker", name="nachtdienst", provider="linde")
    left = await person(country, "intake_worker", name="left@linde.example", provider="linde")
    await person(country, "coordinator", name="a@haven.example", provider="haven")
    await country.client("coordinator", provider="linde")
    # Whom an administrator has just shut out hears of what follows as well.
    async with country.parts.database.transaction(session_hash(chief.opened.cookie)) as tx:
        await staff.disable(tx, left.account_id)
    await country.rows("DELETE FROM mails RETURNING 1")
    await invite(country, chief)

    async with receiving_mails() as receiver:
        with capture_logs() as logged:
            await deliver(country, receiver)
    assert receiver.to() == ["c@linde.example", "left@linde.example", "w@linde.example"]
    assert await outcomes(country, "sent") == 3
    assert await outcomes(country, "no_address") == 2
    for address, letter in receiver.got:
        assert (letter["From"], letter["To"]) == (SENDER, address)
        assert letter["Subject"] == "Er wacht iets op u / Something waits for you"
        text = letter.get_content()
        assert text.count(f"{LINK}/colleagues") == 2
        for told in ("linde", "chief", "new@", "nieuw", "opvang", "shelter", "nachtdienst"):
            assert told not in text.lower()
        assert "tenzij een van u het eerder weigert" in text
    assert "@" not in str(logged)


async def test_what_a_server_does_not_take_is_tried_again_and_given_up_where_it_never_will(
    country: Country, chief: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await person(country, "coordinator", name="c@linde.example", provider="linde")
    await invite(country, chief)
    monkeypatch.setattr(postmen, "PAUSES_S", (3600.0, 3600.0))
    due = "UPDATE mails SET next_at = clock_timestamp() RETURNING 1"
    async with receiving_mails() as receiver:
        receiver.answers = ["450 Later, c@linde.example"]
        with capture_logs() as logged:
            assert await deliver(country, receiver) == 1
        assert [one["event"] for one in logged] == ["mail_not_sent"]
        assert "linde" not in str(logged)
        assert await outcomes(country, None) == 1
        await country.rows(due)
        assert await deliver(country, receiver) == 1
        assert receiver.to() == ["c@linde.example"]
        assert await deliver(country, receiver) == 0

        await invite(country, chief, "second@linde.example")
        receiver.answers = ["550 Nobody here"]
        assert await deliver(country, receiver) == 1
    assert await outcomes(country, "given_up") == 1
    # A server that is gone for as long as the pauses last.
    await invite(country, chief, "third@linde.example")
    for _ in range(3):
        assert await deliver(country, receiver) == 1
        await country.rows(due)
    assert await deliver(country, receiver) == 0
    assert await outcomes(country, "given_up") == 2


@pytest.mark.parametrize("guarded", [True, False])
async def test_postmen_who_send_at_once_send_each_mail_once(
    country: Country, chief: Person, monkeypatch: pytest.MonkeyPatch, *, guarded: bool
) -> None:
    for number in range(6):
        await person(country, "coordinator", name=f"{number}@linde.example", provider="linde")
    await invite(country, chief)
    if not guarded:
        monkeypatch.setattr(postmen, "LEASE_S", -1.0)
    async with receiving_mails() as receiver:
        several = [postman(country, receiver.server()) for _ in range(4)]
        for _ in range(3):
            await asyncio.gather(*(one.send_due() for one in several))
    assert (receiver.to() == [f"{number}@linde.example" for number in range(6)]) is guarded


async def test_without_a_server_nothing_is_sent_and_what_is_old_is_forgotten(
    country: Country, chief: Person
) -> None:
    await person(country, "coordinator", name="c@linde.example", provider="linde")
    await invite(country, chief)
    assert await postman(country, None).send_due() == 0
    assert await outcomes(country, None) == 1
    await country.rows("UPDATE mails SET made_at = made_at - interval '3 days' RETURNING 1")
    async with country.parts.database.transaction(actor=WORKER) as tx:
        await postmen.prune_mails(tx)
    assert await outcomes(country, None) == 0
    with pytest.raises(Exception, match="insufficient"):
        async with country.parts.database.transaction(session_hash(chief.opened.cookie)) as tx:
            await mail_rows.lease(tx, most=1, seconds=1)


async def test_administrators_hear_of_budgets_that_are_raised_or_reached(
    country: Country, chief: Person
) -> None:
    await country.limit_budgets()
    desk = await country.client("intake_worker", provider="linde")
    await desk.post("/budget-raises", {"reason": "busy_shift"})
    async with receiving_mails() as receiver:
        await deliver(country, receiver)
    ((address, letter),) = receiver.got
    assert address == chief.name
    assert f"{LINK}/budgets" in letter.get_content()


async def test_a_mail_goes_nowhere_without_tls_and_a_certificate_that_is_trusted(
    country: Country, chief: Person, tmp_path: Path
) -> None:
    await person(country, "coordinator", name="c@linde.example", provider="linde")
    await invite(country, chief)
    ours = certificate(tmp_path, "localhost")
    trusted = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
    due = "UPDATE mails SET next_at = clock_timestamp() RETURNING 1"
    async with receiving_mails() as plain, receiving_mails(start_tls=ours) as upgraded:
        async with receiving_mails(tls=ours) as secured:
            for server in (
                plain.server(start_tls=True, trust=trusted),
                upgraded.server(start_tls=True),
                secured.server(use_tls=True),
            ):
                assert await postman(country, server).send_due() == 1
                await country.rows(due)
                with pytest.raises(Exception, match=r"(?i)starttls|certificate"):
                    await server.look()
            assert plain.to() == upgraded.to() == secured.to() == []
            await deliver(country, secured, use_tls=True, trust=trusted)
            assert secured.to() == ["c@linde.example"]
        await invite(country, chief, "second@linde.example")
        await deliver(country, upgraded, start_tls=True, trust=trusted)
        assert upgraded.to() == ["c@linde.example"]


@pytest.mark.parametrize(
    "url, tls, start_tls",
    [
        ("smtp://mail.example.org", False, True),
        ("smtp://10.1.2.3:25", False, True),
        ("smtp://localhost:2525", False, False),
        ("smtp://127.0.0.1", False, False),
        ("smtp://[::1]", False, False),
        ("smtps://na%40me:pass@localhost", True, False),
    ],
)
async def test_only_on_this_machine_a_mail_goes_without_tls(
    url: str, *, tls: bool, start_tls: bool
) -> None:
    settings = read_settings({"PLEK_SMTP_URL": url, "PLEK_MAIL_FROM": SENDER})
    server = MailServer.of(settings)
    assert server is not None
    assert (server.use_tls, server.start_tls) == (tls, start_tls)
    assert server.username in {None, "na@me"}
    assert MailServer.of(Settings()) is None
    for wrong in ("http://mail.example.org", "smtp://", "smtp://a:b:c", "smtp://a/path"):
        with pytest.raises(OperatorError):
            read_settings({"PLEK_SMTP_URL": wrong, "PLEK_MAIL_FROM": SENDER})
    for half in ({"PLEK_SMTP_URL": url}, {"PLEK_MAIL_FROM": SENDER}):
        with pytest.raises(OperatorError):
            read_settings(half)
