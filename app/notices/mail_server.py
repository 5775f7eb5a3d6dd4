"""The server that takes our mails, by SMTP: never without TLS, except on this machine."""

import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import aiosmtplib

from app.config import Settings

TIMEOUT_S = 20.0
PORTS = {"smtp": 587, "smtps": 465}
PERMANENT = 500
"""From this status on a server will not take a mail later either."""


class AddressRefused(Exception):
    """The server knows no such address, and will know none later."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed in, and as whom."""

    host: str
    port: int
    sender: str
    use_tls: bool
    """From the first byte on."""
    start_tls: bool
    """Demanded before anything else is said."""
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    trust: ssl.SSLContext | None = field(default=None, repr=False)
    """None: the certificates that this machine trusts."""

    @classmethod
    def of(cls, settings: Settings) -> "MailServer | None":
        """Return the server that the settings name, if any."""
        if settings.smtp_url is None or settings.mail_from is None:
            return None
        url = urlsplit(settings.smtp_url)
        host = url.hostname or ""
        secured = url.scheme == "smtps"
        return cls(
            host,
            url.port or PORTS[url.scheme],
            settings.mail_from,
            use_tls=secured,
            start_tls=not secured and not _is_here(host),
            username=None if url.username is None else unquote(url.username),
            password=None if url.password is None else unquote(url.password),
        )

    async def send(self, letter: EmailMessage) -> None:
        """Hand a mail in; raise AddressRefused if it can never be delivered."""
        try:
            async with self._client() as client:
                await client.send_message(letter, sender=self.sender)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            if all(one.code >= PERMANENT for one in refused.recipients):
                raise AddressRefused from None
            raise

    async def look(self) -> None:
        """Greet the server as for a mail, and hand nothing in."""
        async with self._client() as client:
            await client.noop()

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            local_hostname=self.sender.rpartition("@")[2],
            timeout=TIMEOUT_S,
            use_tls=self.use_tls,
            start_tls=self.start_tls,
            tls_context=self.trust,
        )


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
