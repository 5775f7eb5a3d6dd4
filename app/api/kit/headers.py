"""The headers of every answer, wherever it comes from: strict unless it said otherwise."""

from collections.abc import Mapping
from typing import Final

OFF = (
    "accelerometer",
    "autoplay",
    "bluetooth",
    "browsing-topics",
    "camera",
    "clipboard-read",
    "clipboard-write",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "storage-access",
    "usb",
    "web-share",
    "xr-spatial-tracking",
)
"""What a browser might otherwise let a page do. Plek asks for none of it, location least."""

STRICT: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    # Nothing that is not a page may load, run, send or be framed; a page names what it needs
    # itself.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in OFF),
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
FOR_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
"""The header of answers that any page may read, which may be embedded anywhere, too."""

_STRICT = [(name.lower().encode(), value.encode()) for name, value in STRICT.items()]
_SHARED = (b"cross-origin-resource-policy", b"cross-origin")


def harden(headers: list[tuple[bytes, bytes]]) -> None:
    """Add to an answer's headers what is missing of the strict ones."""
    said = {name for name, _ in headers}
    if FOR_ANY_ORIGIN in headers and _SHARED[0] not in said:
        headers.append(_SHARED)
        said.add(_SHARED[0])
    headers += [pair for pair in _STRICT if pair[0] not in said]
