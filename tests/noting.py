"""What the service asks its database, noted down: for tests that ask it again, or compare."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from tests.country import Country


@dataclass(frozen=True)
class Asked:
    """A statement as it went to the database."""

    statement: str
    values: Any


@contextmanager
def noting(country: Country) -> Generator[list[Asked]]:
    """Note what the service asks the database while the block lasts."""
    asked: list[Asked] = []
    engine = country.parts.database.engine.sync_engine

    def note(
        _connection: object,
        _cursor: object,
        statement: str,
        values: Any,
        _context: object,
        many: bool,  # noqa: FBT001 - as SQLAlchemy calls it
    ) -> None:
        if not many:
            asked.append(Asked(statement, values))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)
