"""A real Chromium on the real service, and a look at a page in every size and light."""

import os
import secrets
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from playwright.async_api import Browser, BrowserContext, Page, Request, Route, async_playwright
from sqlalchemy import insert, text

from app.accounts.sessions import session_hash
from app.models import Account, Token
from app.web.credential import COOKIE
from tests.country import Country

ROOT = Path(__file__).parents[2]
UNPACKED = ROOT / ".venv" / "chromium"
SCREENS = ROOT / "build" / "screens" if os.environ.get("PLEK_SCREENS") else None
"""The folder for pictures of every page that a test looks at: `make test SCREENS=yes`."""
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
INSTALLED = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# They stop fetching in the background, and allow a machine without a graphics card or a sandbox.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
)
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
NEUTRAL = "<!DOCTYPE html><title>Weather</title><h1>Weather</h1>"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LIGHTS: tuple[tuple[Literal["light", "dark"], list[str]], ...] = (
    ("light", RULES),
    ("dark", ["color-contrast"]),
)
"""The rules of axe by day, and those of them that can differ by night."""


def chromium() -> tuple[str, dict[str, Any]]:
    """Return the machine's Chromium, else the one that set-up unpacked, and its environment."""
    found = next((path for name in INSTALLED if (path := shutil.which(name))), None)
    if found:
        return found, dict(os.environ)
    libraries = str(UNPACKED / "al2023" / "lib")
    return str(UNPACKED / "chromium"), os.environ | {
        "LD_LIBRARY_PATH": os.pathsep.join(
            filter(None, (os.environ.get("LD_LIBRARY_PATH"), libraries))
        ),
        "FONTCONFIG_PATH": str(UNPACKED / "fonts")
        if shutil.which("fc-list") is None
        else "/etc/fonts",
    }


@dataclass
class LiveService:
    """The service, and the browsers that are on it."""

    country: Country
    base: str
    browser: Browser
    went_out: list[str] = field(default_factory=list[str])
    """Requests of pages to other hosts: none is allowed but that for the neutral site."""
    failures: list[str] = field(default_factory=list[str])
    """Failures in pages: scripts that failed, and files that the page was not allowed to load."""
    windows: list[BrowserContext] = field(default_factory=list[BrowserContext])
    """Windows with cookies and a store of their own, closed after the test."""

    async def visitor(self, **options: Any) -> Page:
        """Open a browser window in which nobody is signed in."""
        usual: dict[str, Any] = {
            "viewport": WIDE,
            "locale": "nl-NL",
            "timezone_id": "Europe/Amsterdam",
        }
        context = await self.browser.new_context(base_url=self.base, **usual | options)
        self.windows.append(context)
        context.set_default_timeout(10_000)
        await context.route(lambda url: urlsplit(url).hostname != "127.0.0.1", self._keep_inside)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.failures.append(str(error)))
        page.on("console", lambda message: self._note_failure(message.type, message.text))
        return page

    async def person(
        self, *roles: str, provider: str | None = None, region: str | None = None, **options: Any
    ) -> Page:
        """Open the browser window of a new account, signed in."""
        page = await self.visitor(**options)
        await sign_in(
            self.country, page.context, self.base, roles, provider=provider, region=region
        )
        return page

    async def sign_in_again(self, page: Page) -> None:
        """Give a browser another session of its account, as if signed in again in another tab."""
        value = next(one["value"] for one in await page.context.cookies() if one["name"] == COOKIE)  # pyright: ignore[reportTypedDictNotRequiredAccess]
        account_id = await self.country.value(
            "SELECT account_id FROM tokens WHERE hash = :hash", hash=session_hash(value)
        )
        await give_session(self.country, page.context, self.base, account_id)

    def forget_failures(self, *beginnings: str) -> None:
        """Forget failures that a test brought about itself, by their first words."""
        self.failures[:] = [one for one in self.failures if not one.startswith(beginnings)]

    async def _keep_inside(self, route: Route, request: Request) -> None:
        self.went_out.append(request.url)
        if request.is_navigation_request():
            await route.fulfill(body=NEUTRAL, content_type="text/html")
        else:
            await route.abort()

    def _note_failure(self, kind: str, words: str) -> None:
        if kind == "error" and "Failed to load resource" not in words:
            self.failures.append(words)


async def sign_in(
    country: Country,
    context: BrowserContext,
    base: str,
    roles: tuple[str, ...],
    *,
    provider: str | None = None,
    region: str | None = None,
) -> None:
    """Give a browser the session of a new account."""
    account_id = uuid4()
    provider_id = await country.provider(provider) if provider else None
    async with country.owner.transaction() as tx:
        await tx.run(
            insert(Account).values(
                id=account_id, roles=list(roles), provider_id=provider_id, region=region
            )
        )
    await give_session(country, context, base, account_id)


async def give_session(
    country: Country, context: BrowserContext, base: str, account_id: UUID
) -> None:
    """Give a browser a new session of an account."""
    value = secrets.token_urlsafe(32)
    async with country.owner.transaction() as tx:
        await tx.run(
            insert(Token).values(
                id=uuid4(),
                account_id=account_id,
                hash=session_hash(value),
                expires_at=text("clock_timestamp() + interval '1 day'"),
            )
        )
    host = urlsplit(base).hostname
    await context.add_cookies(
        [
            {
                "name": COOKIE,
                "value": value,
                "domain": host or "",
                "path": "/",
                "secure": True,
                "httpOnly": True,
                "sameSite": "Lax",
            }
        ]
    )


@asynccontextmanager
async def browser() -> AsyncGenerator[Browser]:
    """Start a Chromium, and stop it after."""
    path, environment = chromium()
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=path, env=environment, args=list(ARGUMENTS)
        )
        try:
            yield started
        finally:
            await started.close()


TO_THE_LOOK = """
    window.scrollTo(0, document.querySelector("[data-said]") ? document.body.scrollHeight : 0)
"""
"""Scrolls to the top; to the end where something floats at the foot, which lies over nothing there."""


async def look_at(page: Page, name: str) -> None:
    """Claim that axe finds nothing and nothing is cut off: wide, on a phone, by day, by night."""
    for size, viewport in (("wide", WIDE), ("phone", PHONE)):
        await page.set_viewport_size(viewport)  # pyright: ignore[reportArgumentType]
        for light, rules in LIGHTS:
            await page.emulate_media(color_scheme=light)
            await page.evaluate(TO_THE_LOOK)
            if SCREENS is not None:
                await page.screenshot(path=SCREENS / f"{name}-{size}-{light}.png", full_page=True)
            found = await faults_of(page, rules)
            assert found == [], f"{name}, {size}, {light}: {found}"
            wide = await overflow(page)
            assert wide == [], f"{name}, {size}: wider than the screen: {wide}"
    await page.set_viewport_size(WIDE)  # pyright: ignore[reportArgumentType]
    await page.emulate_media(color_scheme="light")


async def faults_of(page: Page, rules: list[str] = RULES) -> list[str]:
    """Return the faults that axe finds, one a line."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate(
        "rules => axe.run({runOnly: rules, resultTypes: ['violations']})", rules
    )
    return [
        f"{fault['id']}: {node['target']} {node['failureSummary']}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


async def overflow(page: Page) -> list[str]:
    """Return the elements beyond the right edge, if the page scrolls sideways."""
    found: list[str] = await page.evaluate("""() => {
      const edge = document.documentElement.clientWidth;
      if (document.documentElement.scrollWidth <= edge) return [];
      return [...document.querySelectorAll("body *")]
        .filter((each) => each.getBoundingClientRect().right > edge + 1)
        .map((each) => `${each.tagName}.${each.className}`).slice(0, 10);
    }""")
    return found
