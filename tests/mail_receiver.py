"""A mail server on a real port here, and postmen who hand in there."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from app.notices.mail_server import MailServer
from app.notices.postman import Postman
from tests.country import Country
from tests.people import keyring

SENDER = "plek@desk.example"
LINK = "https://plek.example.org"


@dataclass
class MailReceiver:
    """Takes mails, or answers what it is told: one answer for each, then as a server does."""

    port: int = 0
    answers: list[str] = field(default_factory=list[str])
    got: list[tuple[str, EmailMessage]] = field(default_factory=list[tuple[str, EmailMessage]])

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        letter = message_from_bytes(cast("bytes", envelope.content), policy=policy.default)
        self.got += [(address, letter) for address in envelope.rcpt_tos]
        return "250 OK"

    def to(self) -> list[str]:
        """Return whom the mails so far went to, in order."""
        return sorted(address for address, _ in self.got)

    def server(self, **changes: Any) -> MailServer:
        """Return how this is reached."""
        told: dict[str, Any] = {"use_tls": False, "start_tls": False} | changes
        return MailServer("localhost", self.port, SENDER, **told)


@asynccontextmanager
async def receiving_mails(
    *, start_tls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[MailReceiver]:
    """Open a mail server that offers STARTTLS, or speaks TLS from the first byte on."""
    receiver = MailReceiver()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            receiver,
            hostname="mail.example",
            tls_context=start_tls,
            require_starttls=start_tls is not None,
        ),
        "localhost",
        0,
        ssl=tls,
    )
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver


def postman(country: Country, server: MailServer | None) -> Postman:
    """Return an installation's postman."""
    return Postman(country.parts.database, keyring(country), server, public_url=LINK)


async def deliver(country: Country, receiver: MailReceiver, **changes: Any) -> int:
    """Send what is due, until nothing is; return how many tries there were."""
    one, tries = postman(country, receiver.server(**changes)), 0
    while sent := await one.send_due():
        tries += sent
    return tries
