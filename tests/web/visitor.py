"""A visitor of pages without a browser, who fills in and sends forms as a browser does."""

import html
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import insert, text

from app.accounts.sessions import session_hash
from app.models import Account, Token
from app.web.credential import COOKIE, csrf_for
from tests.country import Country

Fields = list[tuple[str, str]]
Filled = Mapping[str, str | list[str]]
ROW = re.compile(r"^(adult|child|zone)_([0-9]+)_")
PARTIAL = {"HX-Request": "true"}


@dataclass
class PageForm:
    """A form of a page: its action, its fields as they stand, and its buttons."""

    action: str
    fields: Fields = field(default_factory=list[tuple[str, str]])
    buttons: Fields = field(default_factory=list[tuple[str, str]])

    def fields_with(self, **values: str | list[str]) -> Fields:
        """Return its fields with some of them fields_with in.

        The name `adult_0_gender` stands for the field adult-0-gender.
        """
        given = {ROW.sub(r"\1-\2-", name): value for name, value in values.items()}
        kept = [(name, value) for name, value in self.fields if name not in given]
        more = [
            (name, one)
            for name, value in given.items()
            for one in ([value] if isinstance(value, str) else value)
        ]
        return kept + more


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self._select = self._area = ""
        self._options: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(PageForm(has.get("action", "")))
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
            chosen = [value for value, selected in self._options if selected] or [
                value for value, _ in self._options
            ]
            self.forms[-1].fields.append((self._select, chosen[0] if chosen else ""))
            self._select = ""


@dataclass
class SeenPage:
    """The answer to a request for a page, or for a part of one."""

    response: httpx.Response

    @property
    def text(self) -> str:
        """Its markup, with single spaces."""
        return re.sub(r"\s+", " ", self.response.text)

    @property
    def status(self) -> int:
        """Its status."""
        return self.response.status_code

    def form(self, ending: str) -> PageForm:
        """Return the first form whose action ends so."""
        reader = _Reader()
        reader.feed(self.response.text)
        return next(form for form in reader.forms if form.action.endswith(ending))


class PageVisitor:
    """A person, signed in or not, with a browser that runs no script."""

    def __init__(self, http: httpx.AsyncClient, csrf: str = "") -> None:
        self.http = http
        self.csrf = csrf

    async def get(self, path: str, *, partial: bool = False) -> SeenPage:
        """Open a page, or renew a part of one."""
        return SeenPage(await self.http.get(path, headers=PARTIAL if partial else {}))

    async def read(self, path: str, *, expect: int = 200, part: bool = False) -> str:
        """Return the markup of a page, or of a part of one."""
        answer = await self.http.get(path, headers=PARTIAL if part else {})
        assert answer.status_code == expect, f"{answer.status_code}: {answer.text[:400]}"
        return answer.text

    async def send(
        self,
        action: str,
        fields: Fields,
        *,
        partial: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> SeenPage:
        """Send a form, and open the page that it leads to."""
        wanted: dict[str, Any] = {}
        for name, value in fields:
            wanted.setdefault(name, []).append(value)
        answer = await self.http.post(
            action, data=wanted, headers={**(PARTIAL if partial else {}), **(headers or {})}
        )
        if answer.is_redirect:
            return await self.get(answer.headers["location"])
        return SeenPage(answer)

    async def press(
        self,
        seen: SeenPage,
        ending: str,
        fill: Filled | None = None,
        *,
        partial: bool = False,
        **values: str | list[str],
    ) -> SeenPage:
        """Fill in a form of a page and send it."""
        form = seen.form(ending)
        return await self.send(
            form.action, form.fields_with(**(fill or {}), **values), partial=partial
        )

    async def post(
        self,
        path: str,
        form: Mapping[str, Any] | None = None,
        *,
        expect: int = 200,
        part: bool = True,
        **more: Any,
    ) -> httpx.Response:
        """Send a form as a script or, without `part`, as a browser by itself does."""
        headers = {"X-CSRF": self.csrf, **(PARTIAL | {"HX-Target": "said"} if part else {})}
        answer = await self.http.post(path, data=dict(form or {}), headers=headers, **more)
        assert answer.status_code == expect, f"{answer.status_code}: {answer.text[:400]}"
        return answer


async def browser_of(
    country: Country,
    *roles: str,
    language: str = "nl",
    provider: str | None = None,
    region: str | None = None,
) -> httpx.AsyncClient:
    """Return the HTTP client of a new account; without a role, of no account."""
    return (
        await visitor(country, *roles, language=language, provider=provider, region=region)
    ).http


async def visitor(
    country: Country,
    *roles: str,
    provider: str | None = None,
    region: str | None = None,
    language: str = "en",
) -> PageVisitor:
    """Return the visitor with a new account; without a role, with none."""
    value = await _session(country, roles, provider=provider, region=region) if roles else ""
    cookies = f"plek-language={language}" + (f"; {COOKIE}={value}" if value else "")
    headers = {"Cookie": cookies, "Sec-Fetch-Site": "same-origin"}
    transport = httpx.ASGITransport(country.app, raise_app_exceptions=False)
    http = httpx.AsyncClient(transport=transport, base_url="http://plek.test", headers=headers)
    return PageVisitor(await country.stack.enter_async_context(http), csrf_for(value))


async def _session(
    country: Country, roles: tuple[str, ...], *, provider: str | None, region: str | None
) -> str:
    value, account_id = secrets.token_urlsafe(32), uuid4()
    provider_id = await country.provider(provider) if provider else None
    expires_at = text("clock_timestamp() + interval '1 day'")
    async with country.owner.transaction() as tx:
        await tx.run(
            insert(Account).values(
                id=account_id, roles=list(roles), provider_id=provider_id, region=region
            )
        )
        await tx.run(
            insert(Token).values(
                id=uuid4(), account_id=account_id, hash=session_hash(value), expires_at=expires_at
            )
        )
    return value


def hidden(page: str, name: str) -> str:
    """Return the value of a hidden field of a page."""
    found = re.search(rf'name="{name}"\s+value="([^"]*)"', page)
    assert found is not None, f"no {name}"
    return html.unescape(found[1])


def chosen_values(page: str, name: str) -> list[str]:
    """Return the checked values of a name on a page, as a browser understands them."""
    boxes = re.findall(r"<input\b[^>]*>", page)
    mine = [
        box for box in boxes if f'name="{name}"' in box and re.search(r"\schecked(?=[\s>])", box)
    ]
    return [found[1] for box in mine if (found := re.search(r'value="([^"]*)"', box))]
