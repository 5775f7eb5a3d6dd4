"""Real servers for the tests.

Embedded ones for all workers, a template database, and a clone of it for each test.
"""

import tests.probes  # noqa: F401  # pyright: ignore[reportUnusedImport] - what is imported before it is not measured

# isort: split
import asyncio
import fcntl
import gc
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from app.config import Settings
from app.database.transaction import Database
from app.embedded import servers
from app.logs import configure as configure_logs
from app.registry.first_load import load_reference
from app.schema import migrate
from app.seal import new_key
from tests.country import Country, open_country, open_country_in
from tests.spares import Spares, make_sweeper

pytest_plugins = ("tests.coverage", "tests.suite")

MEMORY, ROOM = Path("/dev/shm"), 4 << 30  # noqa: S108 - made afresh for each run, and removed
"""Where the tests' servers keep their files if there is that much room: a clone takes a fifth of
the time there."""
FOLDER = "PLEK_TEST_SERVERS"
"""How the process that starts the workers tells them where it is."""


def pytest_configure() -> None:
    """Make a folder in memory for the servers, if there is room."""
    if "PYTEST_XDIST_WORKER" in os.environ or FOLDER in os.environ:
        return
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        folder = Path(tempfile.mkdtemp(prefix="plek-tests-", dir=MEMORY))
        folder.chmod(0o755)  # the account that PostgreSQL runs as must get there
        os.environ[FOLDER] = str(folder)


def pytest_unconfigure() -> None:
    """Take the folder away again."""
    if "PYTEST_XDIST_WORKER" not in os.environ and (folder := os.environ.pop(FOLDER, None)):
        shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_finish() -> None:
    """Take what is in memory by now out of the collector's sight.

    To look through it took a tenth of the time.
    """
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Server:
    """A PostgreSQL and a Redis to test on.

    `template` is a migrated database with the reference data in it.
    """

    name: str
    owner_url: str
    app_url: str
    redis_url: str
    template: str
    durable: bool = False
    """Whether it waits for the disk, as ours do not; no test asks that of it."""

    @property
    def strategy(self) -> str:
        """How the template is cloned.

        Copying files takes a checkpoint, which is nothing without a disk to wait for.
        """
        return "WAL_LOG" if self.durable else "FILE_COPY"


def at(url: str, database: str) -> str:
    """Return the URL of another database on the same server, as SQLAlchemy takes it."""
    scheme, _, rest = url.partition("://")
    authority, _, tail = rest.partition("/")
    _, question, query = tail.partition("?")
    del scheme
    return f"postgresql+asyncpg://{authority}/{database}{question}{query}"


def plain(url: str) -> str:
    """Return a URL as asyncpg itself takes it."""
    return url.replace("postgresql+asyncpg://", "postgresql://")


@contextmanager
def alone(folder: Path, name: str) -> Generator[None]:
    """Let one worker at a time do something."""
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def servers_folder(shared: Path) -> Path:
    """Return the folder of the embedded servers that all workers share."""
    return Path(os.environ.get(FOLDER, shared)) / "servers"


@pytest.fixture(scope="session")
def embedded(shared: Path, servers_folder: Path) -> Generator[Server]:
    """Start the embedded servers, shared by all workers.

    The last to leave stops them.
    """
    with alone(shared, "sweeper"):
        if not servers_folder.exists():
            make_sweeper(servers_folder)
    with servers(servers_folder, durable=False) as endpoints:
        server = Server(
            "embedded",
            endpoints.owner_url,
            endpoints.database_url,
            endpoints.redis_url,
            "plek_template",
        )
        make_template(server, shared)
        yield server


def make_template(server: Server, shared: Path) -> None:
    """Migrate the template database and load the reference data, once a run."""
    with alone(shared, f"template-{server.name}"):
        done = shared / f"template-{server.name}.done"
        if done.exists():
            return
        asyncio.run(_create(server))
        owner_url = at(server.owner_url, server.template)
        migrate(owner_url)
        asyncio.run(_load(owner_url))
        done.touch()


async def _create(server: Server) -> None:
    owner = await asyncpg.connect(plain(server.owner_url))
    await owner.execute(f'DROP DATABASE IF EXISTS "{server.template}"')
    await owner.execute(f'CREATE DATABASE "{server.template}"')
    await owner.close()


async def _load(owner_url: str) -> None:
    database = Database(Settings(), url=owner_url, as_owner=True)
    async with database.transaction() as tx:
        await load_reference(tx)
    await database.close()


@asynccontextmanager
async def clone(server: Server) -> AsyncGenerator[str]:
    """Make a database of its own for one test, and drop it after."""
    name = f"plek_test_{secrets.token_hex(6)}"
    owner = await asyncpg.connect(plain(server.owner_url))
    await owner.execute(
        f'CREATE DATABASE "{name}" TEMPLATE "{server.template}" STRATEGY {server.strategy}'
    )
    if server.durable:
        await owner.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    try:
        yield name
    finally:
        await owner.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await owner.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def spares(embedded: Server) -> AsyncGenerator[Spares]:
    """Keep the databases of this worker's tests; the next test uses one of them."""
    owner = await asyncpg.connect(plain(embedded.owner_url))
    kept = Spares(owner)
    yield kept
    await kept.close()
    await owner.close()


@asynccontextmanager
async def ended() -> AsyncGenerator[None]:
    """End what was begun meanwhile, and is left running."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@pytest.fixture
async def strays() -> AsyncGenerator[None]:
    """End what a test leaves running: the loop goes on."""
    async with ended():
        yield


@pytest.fixture(autouse=True)
def no_strays(request: pytest.FixtureRequest) -> None:
    """Let no test that runs in the loop leave anything running."""
    if pytest_asyncio.is_async_test(request.node):
        request.getfixturevalue("strays")


@asynccontextmanager
async def country_on(server: Server) -> AsyncGenerator[Country]:
    """Open an installation of its own on a server, in a database that nobody has used."""
    async with (
        clone(server) as name,
        open_country(
            owner_url=at(server.owner_url, name),
            app_url=at(server.app_url, name),
            redis_url=server.redis_url,
            key=new_key(),
            assume_role="plek_app" if server.name.startswith("local") else None,
        ) as opened,
    ):
        yield opened


@asynccontextmanager
async def country_among(spares: Spares, server: Server) -> AsyncGenerator[Country]:
    """Open an installation of its own in a database that is as the template is."""
    owner_url = at(server.owner_url, "{name}")
    async with (
        spares.lent(template=server.template, owner_url=plain(owner_url)) as spare,
        ended(),
        open_country_in(
            spare,
            owner_url=owner_url.format(name=spare.name),
            app_url=at(server.app_url, spare.name),
            redis_url=server.redis_url,
            key=new_key(),
        ) as opened,
    ):
        yield opened


def country_of(
    request: pytest.FixtureRequest, spares: Spares, server: Server
) -> AbstractAsyncContextManager[Country]:
    """Open an installation for a test, in an unused database if it says that it needs one."""
    fresh = server.durable or request.node.get_closest_marker("fresh")
    return country_on(server) if fresh else country_among(spares, server)


@pytest.fixture
async def country(
    request: pytest.FixtureRequest, spares: Spares, embedded: Server
) -> AsyncGenerator[Country]:
    """Open an installation of its own for one test, on the embedded servers."""
    async with country_of(request, spares, embedded) as opened:
        yield opened


def drop_template(server: Server) -> None:
    """Leave nothing behind on a server that is not ours."""

    async def gone() -> None:
        owner = await asyncpg.connect(plain(server.owner_url))
        await owner.execute(f'DROP DATABASE IF EXISTS "{server.template}" WITH (FORCE)')
        await owner.close()

    asyncio.run(gone())


@pytest.fixture(autouse=True)
def logs() -> None:
    """Log as the service does, to what stands for stderr in this test."""
    configure_logs("warning")
