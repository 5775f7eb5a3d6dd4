"""`plek serve`: start missing servers, prepare the database, and serve until stopped."""

import multiprocessing
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Any

import typer

from app import logs
from app.accounts.accounts import slug_of
from app.commands import demo
from app.commands.installation import BOTH, Installation, opened, say, settings_with
from app.commands.progress import Progress
from app.commands.serve import door
from app.commands.serve.address import Address, bound, near, url
from app.commands.stop import Stopped, stoppable, stopping
from app.config import Settings, program, read_settings
from app.errors import OperatorError
from app.simulation.country.register import DEFAULT_SEED

GRACE_S = 5
"""How long requests that are being answered may take to end."""
PAUSE_S = 0.05
PATIENCE_S = 30
"""How long a process of several may be silent before it is replaced; on a busy machine starting
takes seconds."""


@dataclass(frozen=True, slots=True)
class ServingProcess:
    """What is served, and where."""

    installation: Installation
    listening: socket.socket
    key: str
    begin: Callable[[], None]
    """Ends what answered at the address until now."""

    def announce(self) -> None:
        """Take over the address, and say so once the service answers there."""
        self.begin()
        threading.Thread(
            target=_announce, args=(self.listening, self.installation.settings), daemon=True
        ).start()


def serve(data_dir: Path | None, *, address: Address, workers: int, with_demo: bool) -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = replace(settings_with(data_dir), demo=with_demo)
    if with_demo:
        demo.refuse_elsewhere(settings)
    progress = Progress(say)
    with suppress(Stopped), stopping(), bound(address) as listening, ExitStack() as unready:
        unready.enter_context(door.kept(listening, progress=progress))
        unready.enter_context(progress.telling())
        with _at_work(settings, progress=progress) as installation:
            key = stoppable(_ready(installation, progress=progress))
            logs.configure(settings.log_level)
            service = ServingProcess(installation, listening, key=key, begin=unready.close)
            if workers > 1:
                _serve_by_many(service, workers=workers)
            else:
                _serve_here(service)
    say("Stopped.")


@contextmanager
def _at_work(settings: Settings, *, progress: Progress) -> Generator[Installation]:
    """Start the servers that are missing.

    Say when they are being stopped, which takes seconds after much work.
    """
    if settings.database_url is None or settings.redis_url is None:
        say(f"Starting Plek's own servers in {settings.data_dir}.")
    progress.reach("Starting the servers")
    with opened(settings, wanted=BOTH) as installation:
        try:
            yield installation
        except Stopped:
            say("Stopping.")
            raise
        else:
            say("Stopping.")


async def _ready(installation: Installation, *, progress: Progress) -> str:
    """Make the database ready, with the demo country if asked for; return the key."""
    progress.reach("Making the database ready")
    done = await installation.prepare()
    if done.migrated:
        say("Migrated the database.")
    if installation.settings.demo:
        await demo.show(installation, seed=DEFAULT_SEED, reach=progress.reach)
    async with installation.owner() as database, database.entered() as tx:
        return await installation.key(tx)


def _serve_here(service: ServingProcess) -> None:
    import uvicorn  # noqa: PLC0415 - the whole service: whatever may fail before does so quickly

    from app import main  # noqa: PLC0415 - as above

    installation = service.installation
    parts = main.join(
        installation.settings,
        database_url=installation.database_url,
        redis_url=installation.redis_url,
        key=service.key,
    )
    config = uvicorn.Config(main.create_app(parts), **_options(installation.settings))
    server = uvicorn.Server(config)
    service.announce()
    server.run(sockets=[service.listening])
    if not server.started:
        raise OperatorError("The service did not start; the lines above say why.")


def _serve_by_many(service: ServingProcess, *, workers: int) -> None:
    """Serve by several processes.

    They are told through their environment where everything is.
    """
    import uvicorn  # noqa: PLC0415 - as above
    from uvicorn.config import STARTUP_FAILURE  # noqa: PLC0415 - as above
    from uvicorn.supervisors import Multiprocess  # noqa: PLC0415 - as above

    installation, settings = service.installation, service.installation.settings
    metrics = settings.data_dir.absolute() / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(mode=0o700, parents=True)
    os.environ |= {
        "DATABASE_URL": installation.database_url,
        "REDIS_URL": installation.redis_url,
        "PLEK_KEY": service.key,
        "PLEK_DATA_DIR": str(settings.data_dir.absolute()),
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
    }
    config = uvicorn.Config(
        partial(one_process, settings),
        factory=True,
        workers=workers,
        timeout_worker_healthcheck=PATIENCE_S,
        **_options(settings),
    )
    several = Multiprocess(config, sockets=[service.listening])
    service.announce()
    several.run()
    if any(process.exitcode == STARTUP_FAILURE for process in several.processes):
        raise OperatorError("The service did not start; the lines above say why.")


def one_process(settings: Settings) -> object:
    """Return the service of one process among several.

    Its environment says where everything is. The settings are its parent's: whether the database is
    Plek's own cannot be seen from a DATABASE_URL that the parent itself has set.
    """
    from app import main  # noqa: PLC0415 - as above

    told = read_settings()
    logs.configure(settings.log_level)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    parts = main.join(
        settings,
        database_url=told.database_url or "",
        redis_url=told.redis_url or "",
        key=told.key or "",
    )
    return main.create_app(parts)


def _options(settings: Settings) -> Mapping[str, Any]:
    """Return what is asked of uvicorn, whether by one process or by several."""
    from app.commands.connection import Connection  # noqa: PLC0415 - as above

    return {
        "http": Connection,
        "forwarded_allow_ips": _believed(settings.trusted_proxies),
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "timeout_graceful_shutdown": GRACE_S,
    }


def _believed(proxies: tuple[str, ...]) -> list[str]:
    """Return proxies as uvicorn takes them.

    IPv4 ones also as a socket that takes both kinds names them.
    """
    networks = [ip_network(proxy) for proxy in proxies]
    mapped = [
        f"::ffff:{network.network_address}/{network.prefixlen + 96}"
        for network in networks
        if isinstance(network, IPv4Network)
    ]
    return [str(network) for network in networks] + mapped


def _end_with_parent() -> None:
    """Stop when the process that started this one is gone, however it ended.

    Nobody else could.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _announce(listening: socket.socket, settings: Settings) -> None:
    """Say where the service is once it answers there."""
    host, port = near(listening)
    progress = Progress(say)
    progress.reach("Starting the service")
    with progress.telling():
        while not _answers(host, port):
            time.sleep(PAUSE_S)
    typer.echo(f"Plek is ready: {url(host, port)}")
    if settings.demo:
        typer.echo(_how_to_enter(settings))


def _answers(host: str, port: int) -> bool:
    connection = HTTPConnection(host, port, timeout=1)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status < 500  # noqa: PLR2004 - the first of the server's own failures
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _how_to_enter(settings: Settings) -> str:
    """Say how to get tokens for the demo country: two desks and a controller."""
    from app.reference import load  # noqa: PLC0415 - only a demo needs its words

    files = load()
    providers = [slug_of(name) for name in files.demo.providers[:2]]
    token, folder = f"  {program()} token", f" --data-dir {settings.data_dir}"
    return "\n".join(
        (
            "Its start page signs you in with one press, as one of the demo's people.",
            "Tokens for its API, from another terminal:",
            *(
                f"{token} --role intake_worker --role coordinator --provider {slug}{folder}"
                for slug in providers
            ),
            f"{token} --role auditor --region {files.regions[0].code}{folder}",
        )
    )
