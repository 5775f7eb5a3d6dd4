"""Static files of the pages: styles, scripts and images, kept in memory.

A file's path has its version, so that browsers may keep it for ever.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from app.errors import Missing, OperatorError

router = APIRouter(include_in_schema=False)

HERE = Path(__file__).parent
FOLDERS = (HERE / "static", HERE / "built")
SERVED = frozenset({".js", ".svg", ".png", ".webmanifest"})
"""The kinds of files that are served as they are; styles are served as one built file."""
STYLESHEET = "plek.css"
HASH_DIGITS = 12
FOREVER = "public, max-age=31536000, immutable"
WORTHWHILE = 512
"""Bytes: a shorter file is not compressed."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file."""

    content: bytes
    compressed: bytes | None
    media_type: str
    version: str
    """The first digits of its SHA-256, which its path has."""


@cache
def assets() -> Mapping[str, Asset]:
    """Return all static files by name.

    Raise OperatorError if the files that set-up builds from npm packages are missing.
    """
    built = HERE / "built"
    if not (built / STYLESHEET).exists():
        message = "What the pages are made of is missing: run `make setup`, which builds it."
        raise OperatorError(message)
    found = [
        path for folder in FOLDERS for path in sorted(folder.iterdir()) if path.suffix in SERVED
    ]
    return {path.name: _asset(path) for path in [*found, built / STYLESHEET]}


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    compressed = (
        gzip.compress(content, mtime=0)
        if len(content) > WORTHWHILE and path.suffix != ".png"
        else None
    )
    media_type = {".webmanifest": "application/manifest+json"}.get(
        path.suffix
    ) or mimetypes.guess_type(path.name)[0]
    digits = hashlib.sha256(content).hexdigest()[:HASH_DIGITS]
    return Asset(content, compressed, media_type or "application/octet-stream", digits)


def path_of(name: str) -> str:
    """Return the path of a file, from the root of the pages."""
    return f"/static/{assets()[name].version}/{name}"


@router.get("/static/{version}/{name}")
async def asset(request: Request, version: str, name: str) -> Response:
    """Return a file; a browser may keep it for ever if the path has its present version."""
    found = assets().get(name)
    if found is None:
        raise Missing
    return reply(request, found, cache_control=FOREVER if version == found.version else "no-store")


def reply(request: Request, found: Asset, *, cache_control: str) -> Response:
    """Return a file, compressed if the client accepts that."""
    headers = {"Cache-Control": cache_control, "Vary": "Accept-Encoding"}
    if found.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            found.compressed,
            headers=headers | {"Content-Encoding": "gzip"},
            media_type=found.media_type,
        )
    return Response(found.content, headers=headers, media_type=found.media_type)
