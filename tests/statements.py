"""What the service asks its database, noted down.

For tests that ask it again, or compare.
"""

from contextlib import AbstractContextManager

from benchmarks import statements
from tests.country import Country


def noting(country: Country) -> AbstractContextManager[list[statements.Asked]]:
    """Note what the service asks the database while the block lasts."""
    return statements.noting(country.parts.database)
