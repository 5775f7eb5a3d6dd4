"""The link of an invitation leads where it is configured, whatever a request says."""

import re
from dataclasses import replace

import pytest

from app.main import create_app
from tests.country import Country
from tests.web.visitor import visitor

LINK = re.compile(r"<pre[^>]*>([^<]*)/invitation#[\w-]{43}</pre>")


@pytest.mark.parametrize(
    "configured,host,begins",
    [
        ("https://plek.example.org", "evil.example", "https://plek.example.org"),
        (None, "evil.example", ""),
        (None, "localhost.evil.example", ""),
        (None, "127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
async def test_the_link_of_an_invitation_is_not_made_of_the_host_that_a_request_names(
    country: Country, configured: str | None, host: str, begins: str
) -> None:
    settings = replace(country.parts.settings, public_url=configured)
    country.app = create_app(replace(country.parts, settings=settings))
    chief = await visitor(country, "administrator")
    form = (await chief.get("/accounts/new")).form("/accounts")
    fields = form.fields_with(sign_in_name="a@linde.example", roles="administrator")

    invited = await chief.send("/accounts", fields, headers={"Host": host})

    assert invited.status == 200
    assert LINK.findall(invited.text) == [begins]
    assert ("Put the address of this service before it" in invited.text) == (begins == "")
