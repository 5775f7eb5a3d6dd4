"""The postman leases mails that are due and hands each to the mail server."""

import asyncio
import re
from datetime import timedelta

import structlog

from app import metrics
from app.clock import now
from app.database.transaction import WORKER, Database, Transaction
from app.notices.letters import write_letter
from app.notices.mail_server import AddressRefused, MailServer
from app.notices.store import mail_rows
from app.notices.store.mail_rows import LeasedMail
from app.seal import Keyring

LOOK_S = 2.0
"""The pause between looks for what is due, in each process."""
AT_ONCE = 8
LEASE_S = 120.0
"""The length of a lease: much longer than sending takes at most."""
PAUSES_S = (5.0, 60.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0)
"""The wait after each failed attempt; given up after less than a day, when it is no news."""
KEPT = timedelta(days=2)
SENT, GIVEN_UP, NO_ADDRESS = "sent", "given_up", "no_address"
ADDRESS = re.compile(r"[^@\s<>,;:\"]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII | re.IGNORECASE)
"""A name to sign in with that a mail can go to."""

log = structlog.get_logger()


class Postman:
    """Sends mails beside the other work of the process; without a server none is sent."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        server: MailServer | None,
        *,
        public_url: str | None,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._server = server
        self._public_url = public_url

    async def turn(self) -> None:
        """Send what is due; wait a moment if nothing is."""
        if not await self.send_due():
            await asyncio.sleep(LOOK_S)

    async def send_due(self) -> int:
        """Send mails that are due; return how many there were."""
        if self._server is None:
            return 0
        async with self._database.transaction(actor=WORKER) as tx:
            leased = await mail_rows.lease(tx, most=AT_ONCE, seconds=LEASE_S)
        await asyncio.gather(*(self._deliver(self._server, mail) for mail in leased))
        return len(leased)

    async def _deliver(self, server: MailServer, mail: LeasedMail) -> None:
        outcome = await self._send(server, mail)
        metrics.count_mail(outcome or "failed")
        async with self._database.transaction(actor=WORKER) as tx:
            if outcome is not None:
                await mail_rows.end(tx, mail, outcome)
            elif mail.attempts > len(PAUSES_S):
                await mail_rows.end(tx, mail, GIVEN_UP)
            else:
                await mail_rows.put_off(tx, mail, seconds=PAUSES_S[mail.attempts - 1])

    async def _send(self, server: MailServer, mail: LeasedMail) -> str | None:
        """Send a mail; return what became of it, None if it may be taken later."""
        try:
            address = self._address(mail)
            if address is None:
                return NO_ADDRESS
            letter = write_letter(
                mail.subject,
                moment=mail.moment,
                sender=server.sender,
                recipient=address,
                public_url=self._public_url,
                at=now(),
            )
            await server.send(letter)
        except AddressRefused:
            return GIVEN_UP
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            # Nothing of its words: a server's answer names the address.
            log.warning("mail_not_sent", kind=type(error).__name__)
            return None
        return SENT

    def _address(self, mail: LeasedMail) -> str | None:
        """Return the address of a mail: the name to sign in with, where it is one."""
        if mail.key is None or mail.name is None:
            return None
        row = str(mail.account_id)
        name = self._keyring.unwrap(mail.key, row=row).unseal(mail.name, row=row).decode()
        return name if ADDRESS.fullmatch(name) else None


async def prune_mails(tx: Transaction) -> None:
    """Forget mails that are news no more, sent or not."""
    await mail_rows.prune(tx, kept=KEPT)
