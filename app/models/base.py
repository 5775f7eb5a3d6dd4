"""The base of all tables: names of constraints, column types that recur, conditions.

It stands alone because every module of tables imports it, and it imports none.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, MetaData, Text, text
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}

CLOCK = text("clock_timestamp()")
EMPTY = text("'{}'::text[]")

Id = Annotated[UUID, mapped_column(primary_key=True)]
Codes = Annotated[list[str], mapped_column(ARRAY(Text), server_default=EMPTY)]
Stamp = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=CLOCK)]


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {str: Text, datetime: DateTime(timezone=True), list[str]: ARRAY(Text)}  # noqa: RUF012 - declared so by SQLAlchemy


def one_of(column: str, *values: str) -> str:
    """Return the condition that a column holds one of some words."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"
