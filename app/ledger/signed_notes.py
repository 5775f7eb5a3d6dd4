"""Signed notes: Ed25519 signatures by C2SP's signed-note and tlog-cosignature."""

from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.allocation.ledger.notes import (
    COSIGNS,
    SIGNS,
    TIME_BYTES,
    Note,
    Signature,
    VerifierKey,
    cosigned_text,
)


def verifier_of(secret: bytes, *, name: str, kind: int = SIGNS) -> VerifierKey:
    """Return the key that checks what a secret key of 32 bytes signs."""
    return VerifierKey(
        name, kind, Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    )


def sign(text: str, secret: bytes, *, name: str) -> Signature:
    """Sign the text of a note; the same text and key always give the same bytes."""
    key = Ed25519PrivateKey.from_private_bytes(secret)
    return Signature(name, verifier_of(secret, name=name).key_id, key.sign(text.encode()))


def cosign(text: str, secret: bytes, *, name: str, time: int) -> Signature:
    """Sign as a witness that a checkpoint was seen at a time, in whole seconds since 1970."""
    key = Ed25519PrivateKey.from_private_bytes(secret)
    signed = key.sign(cosigned_text(text, time=time).encode())
    return Signature(
        name,
        verifier_of(secret, name=name, kind=COSIGNS).key_id,
        time.to_bytes(TIME_BYTES, "big") + signed,
    )


def signer_of(note: Note, keys: Iterable[VerifierKey]) -> VerifierKey | None:
    """Return the first key that signed a note; None if none did.

    A signature by one of these keys that does not fit spoils the note, whatever else fits (C2SP
    signed-note): who reads another line of it than we do would be misled.
    """
    signers: list[VerifierKey] = []
    for key in keys:
        own = [one for one in note.signatures if (one.name, one.key_id) == (key.name, key.key_id)]
        if not all(_fits(note.text, one, key) for one in own):
            return None
        if own:
            signers.append(key)
    return signers[0] if signers else None


def _fits(text: str, signature: Signature, key: VerifierKey) -> bool:
    content, signed = signature.content, text
    if key.kind == COSIGNS:
        signed = cosigned_text(text, time=int.from_bytes(content[:TIME_BYTES], "big"))
        content = content[TIME_BYTES:]
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(content, signed.encode())
    except (InvalidSignature, ValueError):
        return False
    return True
