"""Pages asked for without a browser: as somebody who is signed in, with forms as a browser sends them."""

import html
import re
import secrets
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import insert, text

from app.models import Account, Token
from app.web.credential import COOKIE, csrf_for, hash_of
from tests.country import Country


class Visitor:
    """Somebody's browser, without the browser."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def get(self, path: str, *, expect: int = 200, part: bool = False) -> str:
        """Open a page, or a part of one."""
        answer = await self.http.get(path, headers={"HX-Request": "true"} if part else {})
        assert answer.status_code == expect, f"{answer.status_code}: {answer.text[:400]}"
        return answer.text

    async def send(
        self, path: str, form: Mapping[str, Any] | None = None, *, expect: int = 200, part: bool = True, **more: Any
    ) -> httpx.Response:
        """Send a form as a script or, without `part`, as a browser by itself does."""
        headers = {"HX-Request": "true", "HX-Target": "said"} if part else {}
        answer = await self.http.post(path, data=dict(form or {}), headers=headers, **more)
        assert answer.status_code == expect, f"{answer.status_code}: {answer.text[:400]}"
        return answer


async def visitor(
    country: Country, *roles: str, provider: str | None = None, region: str | None = None, language: str = "en"
) -> Visitor:
    """Return the browser of a new account; of nobody's where no role is named."""
    headers = {"Sec-Fetch-Site": "same-origin"}
    cookies = [f"plek-language={language}"]
    value = ""
    if roles:
        value = await _session(country, roles, provider=provider, region=region)
        cookies.append(f"{COOKIE}={value}")
    headers["Cookie"] = "; ".join(cookies)
    transport = httpx.ASGITransport(country.app, raise_app_exceptions=False)
    http = httpx.AsyncClient(transport=transport, base_url="http://plek.test", headers=headers)
    opened = Visitor(await country.stack.enter_async_context(http))
    if roles:
        http.headers["X-CSRF"] = csrf_for(value)
    return opened


async def _session(country: Country, roles: tuple[str, ...], *, provider: str | None, region: str | None) -> str:
    value, account_id = secrets.token_urlsafe(32), uuid4()
    provider_id = await country.provider(provider) if provider else None
    expires_at = text("clock_timestamp() + interval '1 day'")
    async with country.owner.entered() as tx:
        await tx.run(insert(Account).values(id=account_id, roles=list(roles), provider_id=provider_id, region=region))
        await tx.run(
            insert(Token).values(id=uuid4(), account_id=account_id, hash=hash_of(value), expires_at=expires_at)
        )
    return value


def hidden(page: str, name: str) -> str:
    """Return what a form of a page has in a hidden field."""
    found = re.search(rf'name="{name}"\s+value="([^"]*)"', page)
    assert found is not None, f"no {name}"
    return html.unescape(found[1])


def chosen(page: str, name: str) -> list[str]:
    """Return what a form of a page has chosen among the values of a name, as a browser understands it."""
    boxes = re.findall(r"<input\b[^>]*>", page)
    mine = [box for box in boxes if f'name="{name}"' in box and re.search(r"\schecked(?=[\s>])", box)]
    return [found[1] for box in mine if (found := re.search(r'value="([^"]*)"', box))]
