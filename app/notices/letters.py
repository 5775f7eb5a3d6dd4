"""The words of mails: what a bystander may read, in every language of the country."""

from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from zoneinfo import ZoneInfo

from babel.dates import format_datetime as spoken_moment

from app.reference import load
from app.words import N_
from app.words.catalogue import render

SUBJECT = N_("Something waits for you")
"""The subject of every mail: a lock screen shows it to those near."""
BODIES: Mapping[str, tuple[str, str]] = {
    "account_asked": (
        N_(
            "Something was asked for an account at your organisation. It takes effect on %(at)s,"
            " unless one of you refuses it before."
        ),
        "/colleagues",
    ),
    "account_changed": (
        N_("An account at your organisation was made or changed on %(at)s."),
        "/colleagues",
    ),
    "vouched": (
        N_("A colleague vouches for an account at your organisation, until %(at)s."),
        "/colleagues",
    ),
    "budget_alarm": (N_("Something has reached its limit, and asks for a look."), "/budgets"),
    "budget_raised": (N_("A limit was raised, and asks for a look."), "/budgets"),
    "records_disagree": (N_("A check has found something, and asks for a look."), "/records"),
}
"""By subject of a mail: its sentence, and the page that says more to who signs in."""
UNASKED = N_("Were you not expecting this? Call a colleague.")
LONG = "d MMMM y HH:mm"


def write_letter(
    subject: str,
    *,
    moment: datetime | None,
    sender: str,
    recipient: str,
    public_url: str | None,
    at: datetime,
) -> EmailMessage:
    """Return a mail: no name, organisation or case, and nothing that tells what Plek is for."""
    sentence, page = BODIES[subject]
    languages = load().country.languages
    zone = ZoneInfo(load().country.time_zone)

    def said(text: str, language: str) -> str:
        words = spoken_moment(moment, LONG, tzinfo=zone, locale=language) if moment else ""
        return render(text, {"at": words}, language=language)

    link = f"{public_url}{page}" if public_url else ""
    parts = [
        "\n".join(
            line for line in (said(sentence, language), link, said(UNASKED, language)) if line
        )
        for language in languages
    ]
    letter = EmailMessage()
    letter["From"], letter["To"] = sender, recipient
    letter["Subject"] = " / ".join(said(SUBJECT, language) for language in languages)
    letter["Date"] = format_datetime(at)
    letter["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">"))
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content("\n\n".join(parts) + "\n")
    return letter
