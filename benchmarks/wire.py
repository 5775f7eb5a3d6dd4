"""HTTP as plain bytes.

Requests made before the clock starts, and just enough reading of the answers. Pure.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
END = b"\r\n\r\n"


def request(
    method: str, path: str, *, headers: Mapping[str, str] | None = None, body: object = None
) -> bytes:
    """Return a request as it goes over a connection that stays open."""
    content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: plek.test"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines.append("Content-Type: application/json")
    if method != "GET":
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join(lines).encode() + END + content


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of an answer, and where in the bytes it ends."""

    status: int
    end: int


def answer(received: bytes | bytearray) -> Answer | None:
    """Return the answer at the beginning of the bytes, or None while it is incomplete.

    Only answers with a Content-Length, and those without a body, are understood: neither server
    sends others here.
    """
    head = received.find(END)
    if head < 0:
        return None
    found = LENGTH.search(received, 0, head + 2)
    end = head + len(END) + (int(found[1]) if found else 0)
    return Answer(int(received[9:12]), end) if len(received) >= end else None
