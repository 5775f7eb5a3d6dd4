"""Who is asking, and on whose behalf: what every act is handed."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.errors import Forbidden


class Role(StrEnum):
    """What an account may be; it may be several of them."""

    INTAKE_WORKER = "intake_worker"
    COORDINATOR = "coordinator"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    CLIENT_SYSTEM = "client_system"


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated account in one request."""

    account_id: UUID
    roles: frozenset[str]
    provider_id: UUID | None
    region: str | None
    source: str | None = None
    """Network address that the request came from."""
    request_id: str | None = None

    @property
    def provider(self) -> UUID:
        """The provider that the caller works for; Forbidden for one who works for none."""
        if self.provider_id is None:
            raise Forbidden
        return self.provider_id

    def has(self, *roles: Role) -> bool:
        """Whether the caller has one of some roles."""
        return not self.roles.isdisjoint(roles)
