"""Rows that change rarely, kept in this process by version: country, providers, register."""

import asyncio
from typing import TYPE_CHECKING

from app.database import reference, register
from app.errors import Forbidden

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.database.reference import Reference
    from app.database.register import ProviderCard, RegisterSnapshot
    from app.database.statements import Statements


class Snapshots:
    """The newest version of each that this process has seen.

    A transaction names the version that it needs.
    """

    def __init__(self) -> None:
        self._reference: Reference | None = None
        self._reading = asyncio.Lock()
        """Held while the country is read, by one for all who wait for it."""
        self._register: RegisterSnapshot | None = None
        self._providers: register.ProviderList | None = None
        self.recorded: set[str] = set()
        """Hashes of registers known to be stored for good."""

    def knows(self, reference: "Reference") -> None:
        """Begin with a country that was read before, from this database or its original."""
        self._reference = reference

    async def reference(self, tx: "Statements") -> "Reference":
        """Return the country at this transaction's version or newer.

        Its policy is the one in force when the transaction began. A policy that was published ahead
        so takes effect everywhere at once, by the database's clock, and nothing that is kept here
        outlives its beginning.
        """
        known = self._reference
        if known is None or known.version < tx.reference_version:
            async with self._reading:
                known = self._reference
                if known is None or known.version < tx.reference_version:
                    known = self._reference = await reference.load(tx)
        return known.at(tx.at)

    async def providers(self, tx: "Statements") -> "Mapping[str, ProviderCard]":
        """Return the providers by id, at this transaction's version or a newer one."""
        known = self._providers
        if known is None or known.version < tx.register_version:
            known = self._providers = await register.providers(tx)
        return known.cards

    async def organisations(self, tx: "Statements") -> frozenset[str]:
        """Return the names of all organisations."""
        return frozenset(card.name for card in (await self.providers(tx)).values())

    async def register(self, tx: "Statements") -> "RegisterSnapshot":
        """Return the register at this transaction's version or newer.

        All callers share it, so no transaction fills it that row-level security shows only a part.
        """
        if not tx.sees_register:
            raise Forbidden
        known = self._register
        if known is None or known.version < tx.register_version:
            known = self._register = await register.load(tx)
        return known
