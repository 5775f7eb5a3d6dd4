from pathlib import Path

import pytest

from app.config import RATE_LIMIT, Settings, read_settings
from app.errors import OperatorError


def test_nothing_said_is_an_installation_that_brings_its_own_servers() -> None:
    assert read_settings({}) == Settings()
    assert (
        read_settings(
            dict.fromkeys(("DATABASE_URL", "REDIS_URL", "PLEK_KEY", "PLEK_RATE_LIMIT"), "")
        )
        == Settings()
    )
    assert Settings().embedded
    assert (Settings().rate_limit, RATE_LIMIT) == (6000, 6000)


def test_every_setting_is_read() -> None:
    read = read_settings(
        {
            "PLEK_DATA_DIR": "elsewhere",
            "DATABASE_URL": "postgres://app@db/plek",
            "PLEK_OWNER_URL": "postgresql://owner@db/plek",
            "REDIS_URL": "redis://cache",
            "PLEK_KEY": "k",
            "PLEK_RATE_LIMIT": "0",
            "PLEK_POOL_SIZE": "3",
            "PLEK_ANSWER_SECONDS": "20",
            "PLEK_STATEMENT_SECONDS": "7",
            "PLEK_WORK_SECONDS": "90",
            "PLEK_TRANSACTION_POOLING": "TRUE",
            "PLEK_LOG_LEVEL": "Debug",
            "PLEK_WEBHOOK_NETWORKS": "10.4.0.0/16, 127.0.0.1",
            "PLEK_PUBLIC_URL": "https://plek.example.org/",
            "PLEK_WEBHOOK_HOSTS": "Hooks.example.org,*.example.net, 192.0.2.1",
        }
    )
    assert read.data_dir == Path("elsewhere")
    assert read.database_url == "postgresql+asyncpg://app@db/plek"
    assert read.owner_url == "postgresql+asyncpg://owner@db/plek"
    assert (read.redis_url, read.key) == ("redis://cache", "k")
    assert (read.rate_limit, read.pool_size, read.transaction_pooling, read.log_level) == (
        0,
        3,
        True,
        "debug",
    )
    assert (read.answer_s, read.statement_s, read.work_s) == (20, 7, 90)
    assert read.public_url == "https://plek.example.org"
    assert read.webhook_networks == ("10.4.0.0/16", "127.0.0.1")
    assert read.webhook_hosts == ("hooks.example.org", "*.example.net", "192.0.2.1")
    assert (read.embedded, read.assume_role) == (False, None)


def test_one_url_for_both_purposes_takes_on_the_unprivileged_role() -> None:
    assert read_settings({"DATABASE_URL": "postgresql://plek@db/plek"}).assume_role == "plek_app"


@pytest.mark.parametrize(
    "name, value",
    [
        ("PLEK_RATE_LIMIT", "-1"),
        ("PLEK_PUBLIC_URL", "http://plek.example.org"),
        ("PLEK_PUBLIC_URL", "https://plek.example.org/page"),
        ("PLEK_PUBLIC_URL", "https://who@plek.example.org"),
        ("PLEK_PUBLIC_URL", "plek.example.org"),
        ("PLEK_RATE_LIMIT", "many"),
        ("PLEK_RATE_LIMIT", "1.5"),
        ("PLEK_POOL_SIZE", "0"),
        ("PLEK_TRANSACTION_POOLING", "perhaps"),
        ("PLEK_LOG_LEVEL", "loud"),
        ("PLEK_WEBHOOK_NETWORKS", "0.0.0.0/0"),
        ("PLEK_WEBHOOK_HOSTS", "https://secret.example/"),
        ("DATABASE_URL", "mysql://db:secret@host"),
        ("PLEK_OWNER_URL", "secret"),
        ("DATABASE_URL", "postgresql://plek:secret"),
        ("DATABASE_URL", "postgresql://plek:a@secret:b@host/plek"),
        ("DATABASE_URL", "postgresql://plek:a@one:5432,secret:b/plek"),
        ("PLEK_ANSWER_SECONDS", "0"),
        ("PLEK_STATEMENT_SECONDS", "soon"),
        ("PLEK_WORK_SECONDS", "-1"),
        ("REDIS_URL", "redis+sentinel://:secret@one:26379,two"),
        ("REDIS_URL", "redis+sentinel://:secret@one:b/main"),
        ("REDIS_URL", "redis://:secret/b@host:6379"),
        ("REDIS_URL", "redis://:secret@[::1"),
        ("REDIS_URL", "secret"),
    ],
)
def test_what_is_not_understood_is_named_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(OperatorError, match=name) as refused:
        read_settings({name: value})
    assert "secret" not in str(refused.value)


def test_settings_cannot_change() -> None:
    with pytest.raises(AttributeError):
        Settings().rate_limit = 1  # pyright: ignore[reportAttributeAccessIssue]


def test_keys_and_passwords_are_left_out_of_what_settings_say_of_themselves() -> None:
    urls = dict.fromkeys(("DATABASE_URL", "PLEK_OWNER_URL"), "postgresql://plek:secret@host/plek")
    read = read_settings(urls | {"REDIS_URL": "redis://:secret@host", "PLEK_KEY": "secret"})

    assert "secret" not in repr(read) + str(read) + f"{read!r:>9}"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://plek:se/cr?et@host/plek",
        "postgresql://plek:s@host:5432/plek?application_name=a:b",
        "postgresql://[::1]:5432/plek",
        "postgresql://plek:s@one:5432,two,[::1]:5433/plek?target_session_attrs=primary",
        "postgresql:///plek?host=/run/postgresql",
    ],
)
def test_a_url_that_sqlalchemy_reads_is_passed_on_as_it_is(url: str) -> None:
    assert read_settings({"DATABASE_URL": url}).database_url == url.replace(
        "postgresql", "postgresql+asyncpg", 1
    )


def test_the_way_to_a_redis_by_its_sentinels_is_passed_on_as_it_is() -> None:
    url = "redis+sentinel://:secret@one:26379,two/main/1?sentinel_password=s"
    assert read_settings({"REDIS_URL": url}).redis_url == url
