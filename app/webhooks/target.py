"""What a webhook seals: where to send, and the secret that signs it."""

from dataclasses import dataclass, field
from uuid import UUID

from app.seal import Keyring


@dataclass(frozen=True, slots=True)
class Target:
    """A URL and a secret; a URL may have a password of its receiver's in it, so it is sealed as well."""

    url: str = field(repr=False)
    secret: str = field(repr=False)

    def seal(self, webhook_id: UUID, *, keyring: Keyring) -> tuple[bytes, bytes]:
        """Return a data key for this webhook, wrapped, and this as that key sealed it."""
        key, wrapped = keyring.new_data_key(row=str(webhook_id))
        return wrapped, key.seal_json({"url": self.url, "secret": self.secret}, row=str(webhook_id))

    @classmethod
    def unseal(
        cls, webhook_id: UUID, wrapped: bytes, sealed: bytes, *, keyring: Keyring
    ) -> "Target":
        """Return what was sealed for this webhook; SealBroken where no key opens it."""
        content = keyring.unwrap(wrapped, row=str(webhook_id)).unseal_json(
            sealed, row=str(webhook_id)
        )
        return cls(content["url"], content["secret"])
