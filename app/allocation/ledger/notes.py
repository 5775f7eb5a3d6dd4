r"""Signed notes and checkpoints as text.

C2SP signed-note, tlog-checkpoint and tlog-cosignature.

A checkpoint is three lines (where the log is, how many leaves the tree has, its root as base64), an
empty line, and signatures, each on a line of its own::

    plek.example/nl
    1042
    1Xb9...=

    — plek.example/nl 1mZ...=

A line of a signature has the signer's name, and as base64 four bytes that say which key it was, and
the signature: of the text up to and with the newline before the empty line. A key to check them
with is written `name+<8 hexadecimal digits>+<base64>`; the digits are the first four bytes of
SHA-256 over the name, a newline and what is in the base64, which is one byte for the kind of key (1
for Ed25519, 4 for an Ed25519 key that cosigns) and the key.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

SIGNS, COSIGNS = 1, 4
"""Kinds of keys: Ed25519 over a note, and cosignature/v1, which has a time in it."""

KEY_ID_BYTES, TIME_BYTES, KEY_BYTES, ROOT_BYTES = 4, 8, 32, 32
LARGEST_NOTE = 65_536
"""Characters."""
LARGEST_SIZE = 2**63 - 1

_NAME = re.compile(r"[^\s+]+")
_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class NoteFault(ValueError):
    """Text that is no signed note, no checkpoint or no key; its sentence says why."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A line of a signature: who signed, with which key, and what."""

    name: str
    key_id: bytes
    content: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note: its text, with the last newline, and the signatures under it."""

    text: str
    signatures: tuple[Signature, ...]

    def to_text(self) -> str:
        """The note as it is handed out."""
        return self.text + "\n" + "".join(signature_line(one) for one in self.signatures)


@dataclass(frozen=True, slots=True)
class CheckpointBody:
    """What a checkpoint says.

    Where the log is, how many leaves it has, and their root.
    """

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A key to check signatures with; `kind` is 1 or 4."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes by which its signatures name it."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(named).digest()[:KEY_ID_BYTES]

    def to_text(self) -> str:
        """The key as people pass it on."""
        key = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"


def signature_line(signature: Signature) -> str:
    """A signature as it stands under a note."""
    return f"— {signature.name} {base64.b64encode(signature.key_id + signature.content).decode()}\n"


def is_name(name: str) -> bool:
    """Whether something can be the name of a key or the origin of a log.

    No spaces, no plus.
    """
    return _NAME.fullmatch(name) is not None and name.isprintable()


def cosigned_text(text: str, *, time: int) -> str:
    """What a witness signs.

    That it saw a checkpoint at a time (whole seconds since 1970).
    """
    return f"cosignature/v1\ntime {time}\n{text}"


def parse_note(written: str) -> Note:
    """Read a signed note.

    Raises:
        NoteFault: if it is none.
    """
    text, gap, below = written.rpartition("\n\n")
    if len(written) > LARGEST_NOTE or not gap or not below.endswith("\n") or not _is_text(written):
        raise NoteFault("this is no signed note: it has no text, an empty line and signatures")
    return Note(text + "\n", tuple(_signature(line) for line in below[:-1].split("\n")))


def parse_checkpoint(note: Note) -> CheckpointBody:
    """Read what a checkpoint says.

    Lines after the third, which may say more, are passed over.

    Raises:
        NoteFault: if the note is none.
    """
    lines = note.text[:-1].split("\n")
    if len(lines) < 3 or not lines[0] or "" in lines[3:]:  # noqa: PLR2004 - the three that each has
        raise NoteFault("this note is no checkpoint: it has not the three lines of one")
    origin, size, root = lines[:3]
    hashed = _decode(root)
    if (
        not _SIZE.fullmatch(size)
        or int(size) > LARGEST_SIZE
        or hashed is None
        or len(hashed) != ROOT_BYTES
    ):
        raise NoteFault(
            "this note is no checkpoint: its second line is no size, or its third no root"
        )
    return CheckpointBody(origin, int(size), hashed)


def parse_key(written: str) -> VerifierKey:
    """Read a key to check signatures with.

    Raises:
        NoteFault: if it is none, or its digits are not those of the key.
    """
    name, _, rest = written.strip().partition("+")
    digits, _, encoded = rest.partition("+")
    content = _decode(encoded)
    if (
        not is_name(name)
        or content is None
        or len(content) != 1 + KEY_BYTES
        or content[0] not in (SIGNS, COSIGNS)
    ):
        raise NoteFault("this is no key of a log or a witness: name+digits+base64")
    key = VerifierKey(name, content[0], content[1:])
    if digits != key.key_id.hex():
        raise NoteFault("the digits of this key are not its own: it was not copied whole")
    return key


def _is_text(written: str) -> bool:
    return all(line.isprintable() for line in written.split("\n"))


def _signature(line: str) -> Signature:
    found = _LINE.fullmatch(line)
    content = None if found is None else _decode(found[2])
    if found is None or content is None or len(content) <= KEY_ID_BYTES:
        raise NoteFault("this is no signed note: a line under it is no signature")
    return Signature(found[1], content[:KEY_ID_BYTES], content[KEY_ID_BYTES:])


def _decode(encoded: str) -> bytes | None:
    """The bytes of canonical base64; None for anything else."""
    try:
        content = base64.b64decode(encoded, validate=True)
    except ValueError:
        return None
    return content if base64.b64encode(content).decode() == encoded else None
