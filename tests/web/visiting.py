"""Pages without a browser: a person's session, and forms that are filled in and sent as a browser sends them."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import insert, text

from app.models import Account, Token
from app.web.credential import COOKIE, hash_of
from tests.country import Country

Fields = list[tuple[str, str]]
Filled = Mapping[str, str | list[str]]
ROW = re.compile(r"^(adult|child|zone)_([0-9]+)_")
PARTIAL = {"HX-Request": "true"}


@dataclass
class Form:
    """A form of a page: where it is sent, and what stands in it; its buttons apart."""

    action: str
    fields: Fields = field(default_factory=list[tuple[str, str]])
    buttons: Fields = field(default_factory=list[tuple[str, str]])

    def filled(self, **values: str | list[str]) -> Fields:
        """Return its fields with some of them filled in: `adult_0_gender` for the field adult-0-gender."""
        given = {ROW.sub(r"\1-\2-", name): value for name, value in values.items()}
        kept = [(name, value) for name, value in self.fields if name not in given]
        more = [(name, one) for name, value in given.items() for one in ([value] if isinstance(value, str) else value)]
        return kept + more


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select = self._area = ""
        self._options: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(has.get("action", "")))
        elif tag == "select":
            self._select, self._options = has.get("name", ""), []
        elif tag == "option" and self._select:
            self._options.append((has.get("value", ""), "selected" in has))
        elif tag == "textarea":
            self.forms[-1].fields.append((has["name"], ""))
        elif tag == "button" and self.forms and "name" in has:
            self.forms[-1].buttons.append((has["name"], has.get("value", "")))
        elif tag == "input" and self.forms and "name" in has:
            offered = has.get("type") not in {"radio", "checkbox"} or "checked" in has
            if offered:
                self.forms[-1].fields.append((has["name"], has.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select:
            chosen = [value for value, selected in self._options if selected] or [value for value, _ in self._options]
            self.forms[-1].fields.append((self._select, chosen[0] if chosen else ""))
            self._select = ""


@dataclass
class Seen:
    """A page, or a part of one, as it came."""

    response: httpx.Response

    @property
    def text(self) -> str:
        """What it says, spaces squeezed."""
        return re.sub(r"\s+", " ", self.response.text)

    @property
    def status(self) -> int:
        """Its status."""
        return self.response.status_code

    def form(self, ending: str) -> Form:
        """Return the first form that is sent to where this is the end of."""
        reader = _Reader()
        reader.feed(self.response.text)
        return next(form for form in reader.forms if form.action.endswith(ending))


class Visitor:
    """A person who is signed in, with a browser that runs no script."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def get(self, path: str, *, partial: bool = False) -> Seen:
        """Open a page, or have a part of one shown again."""
        return Seen(await self.http.get(path, headers=PARTIAL if partial else {}))

    async def send(
        self, action: str, fields: Fields, *, partial: bool = False, headers: Mapping[str, str] | None = None
    ) -> Seen:
        """Send a form, and open the page that it leads to."""
        wanted: dict[str, Any] = {}
        for name, value in fields:
            wanted.setdefault(name, []).append(value)
        answer = await self.http.post(action, data=wanted, headers={**(PARTIAL if partial else {}), **(headers or {})})
        if answer.is_redirect:
            return await self.get(answer.headers["location"])
        return Seen(answer)

    async def press(
        self, seen: Seen, ending: str, fill: Filled | None = None, *, partial: bool = False, **values: str | list[str]
    ) -> Seen:
        """Fill in a form of a page and send it."""
        form = seen.form(ending)
        return await self.send(form.action, form.filled(**(fill or {}), **values), partial=partial)


async def visitor(country: Country, *roles: str, provider: str | None = None) -> Visitor:
    """Return a new account's browser."""
    value, account_id = secrets.token_urlsafe(32), uuid4()
    provider_id = await country.provider(provider) if provider else None
    async with country.owner.entered() as tx:
        await tx.run(insert(Account).values(id=account_id, roles=list(roles), provider_id=provider_id))
        await tx.run(
            insert(Token).values(
                id=uuid4(),
                account_id=account_id,
                hash=hash_of(value),
                expires_at=text("clock_timestamp() + interval '1 day'"),
            )
        )
    headers = {"Cookie": f"{COOKIE}={value}; plek-language=en", "Sec-Fetch-Site": "same-origin"}
    transport = httpx.ASGITransport(country.app, raise_app_exceptions=False)
    http = httpx.AsyncClient(transport=transport, base_url="http://plek.test", headers=headers)
    return Visitor(await country.stack.enter_async_context(http))
