"""What PostgreSQL's programs are told of a database, and which of them are taken."""

from pathlib import Path

import pytest

from app.backup import programs
from app.backup.programs import Programs, connection_settings, find_programs
from app.errors import OperatorError

OPERATOR = "-c plek.actor=operator"


@pytest.mark.parametrize(
    "url, dsn, password, options",
    [
        (
            "postgresql+asyncpg://o:p%40w@/plek?host=/a b&port=5432",
            "postgresql://o@/plek?host=%2Fa%20b&port=5432",
            "p@w",
            OPERATOR,
        ),
        (
            "postgresql+asyncpg://o@one:5432,two/plek?ssl=true&role=An%20owner",
            "postgresql://o@one:5432,two/plek?sslmode=require&target_session_attrs=read-write",
            None,
            f"-c role=An\\ owner {OPERATOR}",
        ),
        ("postgresql+asyncpg://host/plek", "postgresql://host/plek?", None, OPERATOR),
    ],
)
def test_a_password_goes_by_the_environment_and_the_operator_asks(
    url: str, dsn: str, password: str | None, options: str
) -> None:
    way = connection_settings(url.replace("/a b", "/a%20b"))

    assert way.dsn == dsn
    assert way.environment.get("PGPASSWORD") == password
    assert way.environment["PGOPTIONS"] == options
    assert "p@w" not in repr(way)


def test_programs_are_as_new_as_the_server_and_no_newer_than_need_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = {Path("/a"): 15, Path("/b"): 18, Path("/c"): 17}
    monkeypatch.setattr(programs, "_folders", lambda: iter(there))
    monkeypatch.setattr(programs, "_programs_in", lambda folder: Programs(folder, there[folder]))

    assert [find_programs(major).major for major in (15, 16, 18)] == [15, 17, 18]
    with pytest.raises(OperatorError, match="postgresql-client-19"):
        find_programs(19)
