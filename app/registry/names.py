"""Names of sites and labels of places: written one way, and told apart without being read."""

import hmac
import unicodedata
from uuid import UUID

from app.database.sealing import keys
from app.database.transaction import Transaction
from app.seal import DataKey


def tidy_text(text: str) -> str:
    """Return a text with single spaces, no blanks at its ends, and accents composed."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def fold_name(name: str) -> str:
    """Return what two names have in common that nobody could tell apart by ear."""
    return unicodedata.normalize("NFC", tidy_text(name).casefold())


async def read_key(tx: Transaction) -> DataKey:
    """Return the key that the hashes of names are made with."""
    return await keys.read(tx, keys.REGISTER)


def hash_name(key: DataKey, name: str, *, within: UUID) -> bytes:
    """Return what a name of a provider's site, or a label of a site's place, is told apart by.

    It finds nothing for anybody without the key, and elsewhere the same name has another one.
    """
    return hmac.digest(key.secret, f"{within} {fold_name(name)}".encode(), "sha256")
