"""Standard Webhooks (standardwebhooks.com): how a delivery is signed, so that its receiver knows whose it is."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32
"""The specification asks for 24 to 64."""


def new_secret() -> str:
    """Make a secret in the form that the specification gives it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(secret: str, body: bytes, *, message_id: str, at: datetime) -> Mapping[str, str]:
    """Return the headers that name and sign a message; `at` is the moment of this attempt, `message_id` has no dot."""
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.digest(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }


def message(kind: str, subject: str, *, at: datetime) -> bytes:
    """Return the body of a message: which kind of thing changed, when, and its id; for availability the region."""
    named = "region" if kind == "availability" else "id"
    content = {
        "type": kind,
        "timestamp": at.isoformat().replace("+00:00", "Z"),
        "data": {named: subject},
    }
    return json.dumps(content, separators=(",", ":")).encode()
