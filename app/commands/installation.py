"""One installation as a command finds it: its settings, its servers and its key.

Its servers are started if it brings its own.
"""

import os
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import typer

from app.config import Settings, program, read_settings
from app.database import server
from app.database.sealing import sealed_rows
from app.database.sealing.sealed_rows import Sealed
from app.database.transaction import Database, Transaction
from app.embedded import EmbeddedServers
from app.embedded.keeper import looked_after
from app.errors import OperatorError
from app.ledger.signed_file import SignedTreeFile
from app.placing import erasure
from app.placing.erasure_list import ErasureList
from app.prepare import Preparation, is_behind, prepare
from app.seal import KEY_FILE, KeyFile, Keyring, SealBroken, new_key

POSTGRES = frozenset({"postgres"})
BOTH = frozenset({"postgres", "redis"})


@dataclass(frozen=True, slots=True)
class Installation:
    """The servers of an installation, by their URLs, which hold passwords: never log them."""

    settings: Settings
    owner_url: str = field(repr=False)
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)

    @property
    def key_file(self) -> Path:
        """The file that holds the key unless PLEK_KEY does."""
        return self.settings.data_dir / KEY_FILE

    @property
    def key_place(self) -> str:
        """The place of this installation's key, in words for the operator."""
        return "PLEK_KEY" if self.settings.key else str(self.key_file)

    @property
    def erasures(self) -> ErasureList:
        """The list of erased referrals."""
        return ErasureList.of(self.settings.data_dir)

    @property
    def signed(self) -> SignedTreeFile:
        """The newest tree that the ledger has signed here."""
        return SignedTreeFile.of(self.settings.data_dir)

    @asynccontextmanager
    async def owner(self) -> AsyncGenerator[Database]:
        """Open the database as the owner of its tables."""
        database = Database(replace(self.settings, pool_size=1), url=self.owner_url, as_owner=True)
        try:
            yield database
        finally:
            await database.close()

    @asynccontextmanager
    async def transaction(self, *, with_keys: bool = False) -> AsyncGenerator[Transaction]:
        """Begin a transaction of the owner, in a database that is ready.

        An embedded database is made ready; any other must be. With keys the transaction can open
        sealed rows.
        """
        if self.settings.embedded:
            await self.prepare()
        async with self.owner() as database:
            if not self.settings.embedded:
                if await is_behind(database):
                    raise OperatorError(
                        f"The database is not this release's yet: run `{program()} migrate` first."
                    )
                await erase_again(database, self.erasures)
            async with database.transaction() as tx:
                yield await self.unlock(tx) if with_keys else tx

    async def prepare(self) -> Preparation:
        """Migrate, load the reference data, and erase again what a restore brought back.

        The role in DATABASE_URL gets the application's rights, and no more.
        """
        done = await prepare(self.owner_url, self.settings)
        async with self.owner() as database:
            if self.settings.owner_url and (user := urlsplit(self.database_url).username):
                async with database.transaction() as tx:
                    await server.admit(tx, unquote(user))
            await erase_again(database, self.erasures)
        return done

    async def key(self, tx: Transaction) -> str:
        """Return the installation's key, made if it has none.

        Raise OperatorError if the key does not open what is sealed.
        """
        seals = await sealed_rows.sample(tx)
        # Read after the seals: what a rotation wraps meanwhile is wrapped by a key that was in the
        # file before.
        found = self.settings.key or read_key(self.key_file)
        if found is None:
            if seals:
                raise OperatorError(
                    f"{self.key_file} is gone, and the database holds what was sealed with it: "
                    "restore it."
                )
            if not self.settings.embedded:
                raise OperatorError(
                    "Set PLEK_KEY: with DATABASE_URL every process needs the same. `openssl "
                    "rand -base64 32` makes one."
                )
            found = make_key(self.key_file)
            say(
                f"Made a key in {self.key_file}: keep a copy elsewhere, as what is sealed "
                "cannot be read without it."
            )
        closed = count_closed_keys(Keyring.parse(found, named=self.key_place), seals)
        if closed and closed == len(seals):
            raise OperatorError(
                f"{self.key_place} is not the key of this database: it does not open what is "
                "sealed there."
            )
        if closed:
            raise OperatorError(
                f"{self.key_place} opens only part of what is sealed: a key that is still "
                "needed was taken out of it. "
                f"Put it back behind the others; `{program()} keys rotate` then makes do "
                "without it."
            )
        return found

    async def unlock(self, tx: Transaction) -> Transaction:
        """Return the same transaction with the keys that open sealed rows."""
        return replace(tx, keys=await self.keyring(tx))

    async def keyring(self, tx: Transaction) -> Keyring:
        """Return the installation's keys, which follow the file that they come from."""
        source = None if self.settings.key else KeyFile(self.key_file).read_if_changed
        return Keyring.parse(await self.key(tx), named=self.key_place, source=source)


async def erase_again(database: Database, listed: ErasureList) -> None:
    """Erase what is on the list and was restored from a backup; then complete the list."""
    reading = listed.read()
    if reading.faults:
        lines = ", ".join(map(str, reading.faults))
        say(f"{listed.path} has lines that name nothing erased; passed over: {lines}.")
    again = await erasure.erase_again(database.transaction, reading.ids, listed_at=reading.at)
    if again.count:
        them = "1 referral" if again.count == 1 else f"{again.count:,} referrals"
        say(f"Erased {them} again that a restored backup had brought back.")
    if again.spared:
        say(
            f"Listed as erased, but placed since, and so not erased: {', '.join(again.spared)}."
            " Erase them once more when they have left."
        )
    try:
        async with database.transaction() as tx:
            await erasure.complete_list(tx, listed=listed)
    except OperatorError as error:
        say(str(error))


def say(words: str) -> None:
    """Print a sentence on stderr: stdout is for a command's result alone."""
    typer.echo(words, err=True)


def settings_with(data_dir: Path | None) -> Settings:
    """Return the environment's settings, with another data folder if one is named."""
    settings = read_settings()
    return settings if data_dir is None else replace(settings, data_dir=data_dir)


@contextmanager
def open_installation(
    settings: Settings, *, wanted: frozenset[str] = POSTGRES, kept: bool = False
) -> Generator[Installation]:
    """Find the servers of an installation, and start its own ones.

    The last user to leave stops them. Where they are `kept`, one that dies is started again.
    """
    outside = {"postgres": settings.database_url, "redis": settings.redis_url}
    missing = frozenset(name for name in wanted if outside[name] is None)
    if not missing:
        yield _installation(settings)
        return
    servers = EmbeddedServers(
        settings.data_dir, wanted=missing, say=say, archive=settings.wal_archive
    )
    with servers as endpoints, looked_after(servers) if kept else nullcontext():
        given = _installation(settings)
        yield replace(
            given,
            owner_url=given.owner_url or endpoints.owner_url,
            database_url=given.database_url or endpoints.database_url,
            redis_url=given.redis_url or endpoints.redis_url,
        )


def _installation(settings: Settings) -> Installation:
    return Installation(
        settings=settings,
        owner_url=settings.owner_url or settings.database_url or "",
        database_url=settings.database_url or "",
        redis_url=settings.redis_url or "",
    )


def count_closed_keys(keyring: Keyring, seals: Iterable[Sealed]) -> int:
    """Return how many wrapped data keys none of the keys opens."""
    closed = 0
    for seal in seals:
        try:
            keyring.unwrap(seal.content, row=seal.row)
        except SealBroken:
            closed += 1
    return closed


def read_key(file: Path) -> str | None:
    """Return the key in a file, if there is one."""
    try:
        return file.read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(
            f"{file} cannot be read ({type(error).__name__}); it holds this installation's key."
        ) from error


def make_key(file: Path) -> str:
    """Make a key for this installation.

    Of several processes at once, all get the first one's.
    """
    try:
        _write_key(file)
    except OSError as error:
        raise OperatorError(
            f"A key cannot be written to {file}: {error.strerror}. Set PLEK_KEY instead."
        ) from error
    key = read_key(file)
    if key is None:
        raise OperatorError(
            f"{file} is empty: remove it if nothing was ever sealed here, else restore it from "
            "a copy."
        )
    return key


def _write_key(file: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as writing:
        writing.write(new_key() + "\n")
        writing.flush()
        os.fsync(descriptor)
    with suppress(FileExistsError):
        os.link(draft, file)  # complete from the first moment, and never over another one
    draft.unlink()
