"""The caller of an act: account, roles, provider, region."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.errors import Forbidden

GRANTED, REFUSED = "granted", "refused"


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """One act, granted or refused; the database adds the event's id and the time."""

    action: str
    """The act that was done or asked for, as a code: read, search, reveal, export..."""
    outcome: str
    """`granted` or `refused`."""
    account_id: UUID | None
    """None if no known account asked."""
    roles: tuple[str, ...]
    provider_id: UUID | None
    purpose: str | None
    """Why, as a code, where one was given."""
    object_type: str
    object_id: UUID | None
    """None for a list, or if the request named no id."""
    referral_ids: tuple[UUID, ...]
    """The referrals whose sealed content was opened for it, or whose sake it was for."""
    source: str | None
    """Network address that the request came from."""
    request_id: str | None
    told_id: UUID | None = None
    """Another provider that is told of it."""


class Role(StrEnum):
    """The roles of an account, which may have several."""

    INTAKE_WORKER = "intake_worker"
    COORDINATOR = "coordinator"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    CLIENT_SYSTEM = "client_system"


ANYONE: frozenset[Role] = frozenset()
"""The roles of a route that needs no token."""
EVERY_ACCOUNT = frozenset(Role)
PEOPLE = EVERY_ACCOUNT - {Role.CLIENT_SYSTEM}
INTAKE_WORKERS = frozenset({Role.INTAKE_WORKER})
COORDINATORS = frozenset({Role.COORDINATOR})
STAFF = INTAKE_WORKERS | COORDINATORS
"""The people of a provider."""
PROVIDER_ACCOUNTS = STAFF | {Role.CLIENT_SYSTEM}
"""The people and the systems of a provider."""
REGISTER_KEEPERS = COORDINATORS | {Role.CLIENT_SYSTEM}
"""The roles that keep a provider's places true."""
AUDITORS = frozenset({Role.AUDITOR})
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
OVERSIGHT = AUDITORS | ADMINISTRATORS
"""The roles that see how the burden is shared: the regions' auditors and the national desk."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The account that a token belongs to, as the database knows it, in one request."""

    account_id: UUID
    token_id: UUID
    roles: frozenset[str]
    provider_id: UUID | None
    region: str | None
    source: str | None = None
    """Network address that the request came from."""
    request_id: str | None = None

    @property
    def provider(self) -> UUID:
        """The provider that the caller works for.

        Raise Forbidden if there is none.
        """
        if self.provider_id is None:
            raise Forbidden
        return self.provider_id

    def entry(  # noqa: PLR0913 - the fields of an entry
        self,
        action: str,
        object_type: str,
        object_id: UUID | None,
        *,
        outcome: str = GRANTED,
        purpose: str | None = None,
        referral_ids: Collection[UUID] = (),
        told_id: UUID | None = None,
    ) -> AccessEntry:
        """Return the access log's entry for an act of the caller."""
        return AccessEntry(
            action=action,
            outcome=outcome,
            account_id=self.account_id,
            roles=tuple(sorted(self.roles)),
            provider_id=self.provider_id,
            purpose=purpose,
            object_type=object_type,
            object_id=object_id,
            referral_ids=tuple(sorted(referral_ids)),
            source=self.source,
            request_id=self.request_id,
            told_id=told_id,
        )

    def has(self, *roles: Role) -> bool:
        """Whether the caller has one of some roles."""
        return not self.roles.isdisjoint(roles)
