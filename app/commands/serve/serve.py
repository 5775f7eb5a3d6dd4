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
from app.commands.installation import BOTH, Installation, open_installation, say, settings_with
from app.commands.progress import Progress
from app.commands.serve import door
from app.commands.serve.address import Address, listen, local_address, url
from app.commands.stop import Stopped, raise_on_stop, run_until_stopped
from app.config import Settings, program, read_settings
from app.errors import OperatorError
from app.simulation.country.register import DEFAULT_SEED

GRACE_S = 5
"""How long requests under way may take to end."""
PAUSE_S = 0.05
PATIENCE_S = 30
"""How long a process of several may be silent before it is replaced; on a busy machine starting
takes seconds."""


@dataclass(frozen=True, slots=True)
class ServingProcess:
    """The service, and the address that it is to serve at."""

    installation: Installation
    listening: socket.socket
    key: str
    begin: Callable[[], None]
    """Closes the door, which answered at the address until now."""

    def announce(self) -> None:
        """Take over the address, and print it once the service answers there."""
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
    with suppress(Stopped), raise_on_stop(), listen(address) as listening, ExitStack() as unready:
        unready.enter_context(door.answer_at(listening, progress=progress))
        unready.enter_context(progress.reports())
        with _run_servers(settings, progress=progress) as installation:
            key = run_until_stopped(_make_ready(installation, progress=progress))
            logs.configure(settings.log_level)
            service = ServingProcess(installation, listening, key=key, begin=unready.close)
            if workers > 1:
                _serve_by_many(service, workers=workers)
            else:
                _serve_here(service)
    say("Stopped.")


@contextmanager
def _run_servers(settings: Settings, *, progress: Progress) -> Generator[Installation]:
    """Start the installation's own servers; say when they stop.

    After much work that takes seconds.
    """
    if settings.database_url is None or settings.redis_url is None:
        say(f"Starting Plek's own servers in {settings.data_dir}.")
    progress.reach("Starting the servers")
    with open_installation(settings, wanted=BOTH, kept=True) as installation:
        try:
            yield installation
        except Stopped:
            say("Stopping.")
            raise
        else:
            say("Stopping.")


async def _make_ready(installation: Installation, *, progress: Progress) -> str:
    """Make the database ready, with the demo country if asked for; return the key."""
    progress.reach("Making the database ready")
    done = await installation.prepare()
    if done.migrated:
        say("Migrated the database.")
    if installation.settings.demo:
        await demo.show(installation, seed=DEFAULT_SEED, report=progress.reach)
    async with installation.owner() as database, database.transaction() as tx:
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
    """Serve with several processes.

    Their environment tells them where the servers are.
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
        partial(service_of_process, settings),
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


def service_of_process(settings: Settings) -> object:
    """Return the service of one process among several.

    Its environment names the servers. The settings are its parent's: a DATABASE_URL that the parent
    itself has set does not tell whether the database is Plek's own.
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
    """Return uvicorn's options, for one process or several."""
    from app.commands.connection import Connection  # noqa: PLC0415 - as above

    return {
        "http": Connection,
        "forwarded_allow_ips": _trusted_hosts(settings.trusted_proxies),
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "timeout_graceful_shutdown": GRACE_S,
    }


def _trusted_hosts(proxies: tuple[str, ...]) -> list[str]:
    """Return trusted proxies as uvicorn takes them.

    IPv4 ones also as a socket for both kinds of addresses names them.
    """
    networks = [ip_network(proxy) for proxy in proxies]
    mapped = [
        f"::ffff:{network.network_address}/{network.prefixlen + 96}"
        for network in networks
        if isinstance(network, IPv4Network)
    ]
    return [str(network) for network in networks] + mapped


def _end_with_parent() -> None:
    """Stop when the process that started this one is gone, however it ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _announce(listening: socket.socket, settings: Settings) -> None:
    """Print the address once the service answers there."""
    host, port = local_address(listening)
    progress = Progress(say)
    progress.reach("Starting the service")
    with progress.reports():
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
    """Return how to get tokens for the demo country: two desks and a controller."""
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
