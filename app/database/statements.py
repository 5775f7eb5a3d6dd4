"""What runs statements: as much of a transaction as reading what changes rarely takes."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Executable
from sqlalchemy.engine import Row


class Statements(Protocol):
    """A transaction to those who fill what a transaction carries: the country, its policy, the register."""

    @property
    def at(self) -> datetime:
        """The database's clock when the transaction was entered."""
        ...

    @property
    def register_version(self) -> int:
        """The register's version at that moment."""
        ...

    @property
    def reference_version(self) -> int:
        """The country's version at that moment."""
        ...

    @property
    def sees_register(self) -> bool:
        """Whether every row of the register is visible in it."""
        ...

    @property
    def stored_registers(self) -> set[str]:
        """Hashes of registers that this process knows to be stored for good."""
        ...

    @property
    def after_commit(self) -> list[Callable[[], None]]:
        """What to do in this process once, and only if, all of it has become true."""
        ...

    async def rows(
        self, statement: Executable, values: Mapping[str, Any] | None = None
    ) -> list[Row[Any]]:
        """Run a statement and return its rows."""
        ...

    async def row(
        self, statement: Executable, values: Mapping[str, Any] | None = None
    ) -> Row[Any] | None:
        """Run a statement and return its first row, if any."""
        ...

    async def run(
        self, statement: Executable, values: Mapping[str, Any] | list[dict[str, Any]] | None = None
    ) -> int:
        """Run a statement and return how many rows it changed."""
        ...
