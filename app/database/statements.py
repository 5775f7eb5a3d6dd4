"""Statements of SQLAlchemy Core as asyncpg runs them: compiled once a process.

SQLAlchemy writes the SQL and knows the types; its engine, results and pool stay out of the way of
a request, where they cost more than the statements themselves.
"""

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import LRUCache

from app.database.pool import Row

Values: TypeAlias = Mapping[str, Any]
Processor: TypeAlias = Callable[[Any], Any]

DIALECT = asyncpg.dialect()
COMPILED = 2_000
"""How many different statements are kept; Plek has a few hundred."""
_CACHE: LRUCache[Any, Any] = LRUCache(COMPILED)
_KNOWN = "_plek_command"
"""The attribute by which a statement carries its command."""


@dataclass(frozen=True, slots=True)
class Command:
    """A compiled statement with the values that stand in it; the others are still to be given."""

    compiled: SQLCompiler
    sql: str
    names: tuple[str, ...]
    """The names of its arguments, in their order."""
    given: Mapping[str, Any]
    """Values that the statement itself holds, by name."""
    processors: Mapping[str, Processor]
    """The conversions of values that the driver does not take as they are, by name."""

    def call(self, values: Values | None) -> tuple[str, Sequence[Any]]:
        """Return the SQL and the arguments; raise KeyError if a value is missing."""
        known = self.given if values is None else {**self.given, **values}
        if self.compiled.post_compile_params:
            return self._expand(known)
        if not self.processors:
            return self.sql, [known[name] for name in self.names]
        return self.sql, [self._ready(name, known[name]) for name in self.names]

    def _ready(self, name: str, value: Any) -> Any:  # noqa: ANN401 - of any type that a column has
        processor = self.processors.get(name)
        return value if processor is None else processor(value)

    def _expand(self, values: Values) -> tuple[str, Sequence[Any]]:
        """Return a statement with lists in it: each length of a list is another SQL."""
        state = self.compiled.construct_expanded_state(values)
        names: Sequence[str] = state.positiontup or ()
        lists = {one: name for name, ones in state.parameter_expansion.items() for one in ones}
        return state.statement, [
            self._ready(lists.get(name, name), state.parameters[name]) for name in names
        ]


def command(statement: Executable, values: Values | None = None, *, many: bool = False) -> Command:
    """Return a statement as a command.

    `values` say by their names which columns an insert fills.
    """
    # A statement that is made from another one takes along what the other carries: hence the look.
    carried = statement.__dict__.get(_KNOWN)
    columns = () if values is None else tuple(values)
    if carried is not None and carried[0]() is statement and carried[1:3] == (columns, many):
        return carried[3]
    made = _make_command(statement, columns, many=many)
    statement.__dict__[_KNOWN] = (weakref.ref(statement), columns, many, made)
    return made


def _make_command(statement: Executable, columns: Sequence[str], *, many: bool) -> Command:
    # What SQLAlchemy's engine does for each execution, and offers under no other name.
    compiled, extracted, own, _ = statement._compile_w_cache(  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownVariableType, reportUnknownMemberType] # noqa: SLF001
        DIALECT, compiled_cache=_CACHE, column_keys=sorted(columns), for_executemany=many
    )
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - nothing else is executed
    given = compiled.construct_params(own, extracted_parameters=extracted, _check=False)  # pyright: ignore[reportUnknownArgumentType]
    required, processors = _of_binds(compiled)
    return Command(
        compiled,
        compiled.string,
        tuple(compiled.positiontup or ()),
        # A value that has to be given is missing here, else it would be NULL if it is forgotten.
        {name: value for name, value in given.items() if name not in required},
        processors,
    )


@lru_cache(COMPILED)
def _of_binds(compiled: SQLCompiler) -> tuple[frozenset[str], Mapping[str, Processor]]:
    """Return the names that need a value, and the conversions for the driver."""
    processors = {
        name: processor
        for name, bind in compiled.binds.items()
        if (processor := bind.type.dialect_impl(DIALECT).bind_processor(DIALECT)) is not None
    }
    required = frozenset(name for name, bind in compiled.binds.items() if bind.required)
    return required, processors


class Statements(Protocol):
    """A transaction, as the country, its policy and the register use it."""

    @property
    def at(self) -> datetime:
        """The database's clock when the transaction began."""
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
        """Acts of this process that follow the commit, and only that."""
        ...

    async def rows(self, statement: Executable, values: Values | None = None) -> list[Row]:
        """Run a statement and return its rows."""
        ...

    async def row(self, statement: Executable, values: Values | None = None) -> Row | None:
        """Run a statement and return its first row, if any."""
        ...

    async def run(self, statement: Executable, values: Values | None = None) -> int:
        """Run a statement and return how many rows it changed."""
        ...
