"""One way to write a document down, so that equal documents have equal bytes and one hash."""

from __future__ import annotations

import hashlib
import json


def canonical_json(document: object) -> bytes:
    """The document as UTF-8 JSON with sorted keys and no spaces.

    Documents hold objects, arrays, strings, whole numbers, booleans and null. Floating point has
    more than one way to be written down, so it has no place in anything that is hashed or replayed.
    """
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def content_hash(content: bytes) -> str:
    """`sha256:` and the 64 hexadecimal digits of the content's SHA-256."""
    return "sha256:" + hashlib.sha256(content).hexdigest()
