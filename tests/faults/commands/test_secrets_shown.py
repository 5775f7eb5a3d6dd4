"""What holds secrets does not show them, to whatever may log or print it."""

import traceback
from uuid import uuid4

import pytest
from asyncpg import PostgresError
from sqlalchemy import Text, bindparam, text

from app.accounts.accounts import NewToken
from app.clock import now
from app.commands.installation import Installation
from app.config import Settings
from app.embedded.servers import Endpoints
from app.seal import DataKey, Keyring
from tests.country import Country

SECRET = "Zx9geplant"


async def test_an_error_of_the_database_never_tells_a_parameter(country: Country) -> None:
    told = text("SELECT 1 / length(:none), :secret").bindparams(
        bindparam("none", type_=Text), bindparam("secret", type_=Text)
    )
    for database in (country.parts.database, country.owner):
        with pytest.raises(PostgresError) as raised:
            async with database.transaction() as tx:
                await tx.rows(told, {"none": "", "secret": SECRET})
        assert SECRET not in "".join(traceback.format_exception(raised.value))


def test_what_holds_secrets_does_not_show_them(country: Country) -> None:

    url = f"postgresql://plek:{SECRET}@host/plek"
    settings = Settings(database_url=url, owner_url=url, redis_url=url, key=SECRET)
    keyring = Keyring.parse(country.key)
    key, _ = keyring.new_data_key(row="a")
    shown = [
        repr(holder)
        for holder in (
            settings,
            Installation(settings=settings, owner_url=url, database_url=url, redis_url=url),
            Endpoints(owner_url=url, database_url=url, redis_url=url),
            NewToken(SECRET, uuid4(), uuid4(), now()),
            keyring,
            DataKey(SECRET.encode()),
            key,
            country.parts,
        )
    ]
    passwords = [
        part.rpartition("@")[0].rpartition(":")[2]
        for part in (country.app_url, country.parts.link.url)
    ]
    assert all(passwords)
    assert not [
        text for text in shown if any(each in text for each in (SECRET, country.key, *passwords))
    ]
    assert repr(key.secret)[2:-1] not in "".join(shown)
