"""The file of a backup: an uncompressed tar of the dump, its manifest and their sums.

`tar -xf FILE && sha256sum -c SHA256SUMS` checks it anywhere. It is written under another name, and
gets its own once it is whole and on the disk.
"""

import hashlib
import os
import tarfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from app.backup.manifest import Manifest
from app.embedded import files
from app.errors import OperatorError

DUMP, MANIFEST, SUMS = "database.dump", "manifest.json", "SHA256SUMS"
CHUNK = 1 << 20
PART = ".part"

ReportBytes = Callable[[int, int], None]
"""Reports how many of how many bytes were read; the total is 0 if it is not known."""


class BackupDraft:
    """A backup that is being written, under a name that says so."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self._file = file
        self._hash = hashlib.sha256()
        self.bytes = 0
        file.write(bytes(tarfile.BLOCKSIZE))  # the dump's header, once its length is known

    def add(self, chunk: bytes) -> None:
        """Append to the dump."""
        self._file.write(chunk)
        self._hash.update(chunk)
        self.bytes += len(chunk)

    def close_with(self, manifest: Manifest) -> Manifest:
        """Write what belongs around the dump; return the manifest with the dump's sum in it."""
        whole = replace(manifest, dump_bytes=self.bytes, dump_sha256=self._hash.hexdigest())
        self._pad(self.bytes)
        text = whole.to_bytes()
        sums = f"{whole.dump_sha256}  {DUMP}\n{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n"
        for name, content in ((MANIFEST, text), (SUMS, sums.encode())):
            self._file.write(_header(name, len(content)))
            self._file.write(content)
            self._pad(len(content))
        self._file.write(bytes(2 * tarfile.BLOCKSIZE))
        self._file.seek(0)
        self._file.write(_header(DUMP, self.bytes))
        self._file.flush()
        os.fsync(self._file.fileno())
        return whole

    def _pad(self, length: int) -> None:
        self._file.write(bytes(-length % tarfile.BLOCKSIZE))


@contextmanager
def draft(path: Path) -> Generator[BackupDraft]:
    """Open a new backup, for its owner alone; it is gone unless `settle` has named it.

    Raises OperatorError where the name is taken, or the folder does not take it.
    """
    if path.exists():
        raise OperatorError(f"{path} exists already; a backup never writes over another.")
    part = path.with_name(path.name + PART)
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        file = os.fdopen(os.open(part, flags, files.PRIVATE_FILE), "w+b")
    except OSError as error:
        raise OperatorError(f"{part} cannot be written: {error.strerror}.") from error
    try:
        with file:
            os.fchmod(file.fileno(), files.PRIVATE_FILE)
            yield BackupDraft(part, file)
    except OSError as error:
        raise OperatorError(f"{part} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


def settle(made: BackupDraft, path: Path) -> None:
    """Give a whole backup its name, for good; a file that got there first stays."""
    try:
        os.link(made.path, path)
        files.settle(path.parent)
    except FileExistsError:
        raise OperatorError(f"{path} exists already; a backup never writes over another.") from None


@dataclass(frozen=True, slots=True)
class Archive:
    """A backup's file that has been opened."""

    path: Path
    manifest: Manifest

    def dump(self, report: ReportBytes | None = None) -> Iterator[bytes]:
        """Yield the dump; at its end OperatorError unless its sum is the manifest's."""
        found, done = hashlib.sha256(), 0
        with _members(self.path) as tar:
            dump = tar.extractfile(DUMP)
            assert dump is not None  # noqa: S101 - opened and looked at in `open_archive`
            while chunk := dump.read(CHUNK):
                found.update(chunk)
                done += len(chunk)
                if report is not None:
                    report(done, self.manifest.dump_bytes)
                yield chunk
        if (done, found.hexdigest()) != (self.manifest.dump_bytes, self.manifest.dump_sha256):
            raise damage_error(self.path)


def open_archive(path: Path) -> Archive:
    """Open a backup and read its manifest; OperatorError unless it has all its parts."""
    with _members(path) as tar:
        if tar.getnames() != [DUMP, MANIFEST, SUMS]:
            raise damage_error(path)
        manifest, sums = (tar.extractfile(name) for name in (MANIFEST, SUMS))
        assert manifest is not None  # noqa: S101 - among the names
        assert sums is not None  # noqa: S101 - as above
        text, listed = manifest.read(), sums.read().decode("ascii", errors="replace")
    if f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}" not in listed.splitlines():
        raise damage_error(path)
    parsed = Manifest.parse(text)
    if f"{parsed.dump_sha256}  {DUMP}" not in listed.splitlines():
        raise damage_error(path)
    return Archive(path, parsed)


def damage_error(path: Path) -> OperatorError:
    """The error for a file that is no whole backup."""
    return OperatorError(
        f"{path} is no whole backup of Plek: a part is missing, or its checksum does not fit."
        " Nothing was done with it; use another backup."
    )


@contextmanager
def _members(path: Path) -> Generator[tarfile.TarFile]:
    try:
        with tarfile.open(path, "r:") as tar:
            yield tar
    except (tarfile.TarError, EOFError) as error:
        raise damage_error(path) from error
    except OSError as error:
        raise OperatorError(f"{path} cannot be read: {error.strerror}.") from error


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, files.PRIVATE_FILE
    return entry.tobuf(format=tarfile.GNU_FORMAT)
