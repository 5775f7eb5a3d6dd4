"""`plek serve`: servers where they are missing, tables, country, and then the service until it is told to stop."""

import asyncio
import multiprocessing
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from types import FrameType
from typing import Any

import typer

from app import logs
from app.commands import demo
from app.commands.installation import BOTH, Installation, opened, say, settings_with
from app.config import Settings, read_settings
from app.errors import OperatorError
from app.services.demo_country import DEFAULT_SEED

GRACE_S = 5
"""How long requests that are being answered may take to end."""
PAUSE_S = 0.05
READY_WITHIN_S = 60.0
PATIENCE_S = 30
"""How long a process of several may be silent before it is replaced; on a busy machine starting takes seconds."""


class Stopped(BaseException):
    """Told to stop: not an error, and nothing that a block may swallow."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to serve; port 0 takes any free one."""

    host: str
    port: int


def serve(data_dir: Path | None, *, address: Address, workers: int, with_demo: bool) -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = replace(settings_with(data_dir), demo=with_demo)
    if with_demo:
        demo.refuse_elsewhere(settings)
    with suppress(Stopped), _stopping(), bound(address) as listening:
        if settings.database_url is None or settings.redis_url is None:
            say(f"Starting Plek's own servers in {settings.data_dir}.")
        with opened(settings, wanted=BOTH) as installation:
            key = asyncio.run(_ready(installation))
            logs.configure(settings.log_level)
            threading.Thread(target=_announce, args=(listening, settings), daemon=True).start()
            if workers > 1:
                _serve_by_many(installation, listening, key=key, workers=workers)
            else:
                _serve_here(installation, listening, key=key)
    say("Stopped.")


async def _ready(installation: Installation) -> str:
    """Make the database ready, with the demo country if asked for; return the key."""
    done = await installation.prepare()
    if done.migrated:
        say("Migrated the database.")
    if installation.settings.demo:
        await demo.show(installation, seed=DEFAULT_SEED)
    async with installation.owner() as database, database.entered() as tx:
        return await installation.key(tx)


def _serve_here(installation: Installation, listening: socket.socket, *, key: str) -> None:
    import uvicorn  # noqa: PLC0415 - the whole service: whatever may fail before does so quickly

    from app import main  # noqa: PLC0415 - as above

    parts = main.join(
        installation.settings, database_url=installation.database_url, redis_url=installation.redis_url, key=key
    )
    config = uvicorn.Config(main.create_app(parts), **_options(installation.settings))
    server = uvicorn.Server(config)
    server.run(sockets=[listening])
    if not server.started:
        raise OperatorError("The service did not start; the lines above say why.")


def _serve_by_many(installation: Installation, listening: socket.socket, *, key: str, workers: int) -> None:
    """Serve by several processes; they are told through their environment where everything is."""
    import uvicorn  # noqa: PLC0415 - as above
    from uvicorn.config import STARTUP_FAILURE  # noqa: PLC0415 - as above
    from uvicorn.supervisors import Multiprocess  # noqa: PLC0415 - as above

    settings = installation.settings
    metrics = settings.data_dir.absolute() / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(mode=0o700, parents=True)
    os.environ |= {
        "DATABASE_URL": installation.database_url,
        "REDIS_URL": installation.redis_url,
        "PLEK_KEY": key,
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
    several = Multiprocess(config, sockets=[listening])
    several.run()
    if any(process.exitcode == STARTUP_FAILURE for process in several.processes):
        raise OperatorError("The service did not start; the lines above say why.")


def one_process(settings: Settings) -> object:
    """Return the service of one process among several.

    Its environment says where everything is. The settings are its parent's: whether the database is Plek's own cannot
    be seen from a DATABASE_URL that the parent itself has set.
    """
    from app import main  # noqa: PLC0415 - as above

    told = read_settings()
    logs.configure(settings.log_level)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    parts = main.join(
        settings, database_url=told.database_url or "", redis_url=told.redis_url or "", key=told.key or ""
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
    """Return proxies as uvicorn takes them; IPv4 ones also as a socket that takes both kinds names them."""
    networks = [ip_network(proxy) for proxy in proxies]
    mapped = [
        f"::ffff:{network.network_address}/{network.prefixlen + 96}"
        for network in networks
        if isinstance(network, IPv4Network)
    ]
    return [str(network) for network in networks] + mapped


def _end_with_parent() -> None:
    """Stop when the process that started this one is gone, however it ended: nobody else could."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def bound(address: Address) -> Generator[socket.socket]:
    """Take the address before anything is started for it; it listens once the service is ready."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        taken = socket.socket(family, kind, protocol)
    except OSError as error:
        raise OperatorError(f"{address.host} is not an address of this machine: {error.strerror}.") from error
    with taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(where)
        except OSError as error:
            raise OperatorError(
                f"{address.host} port {address.port} cannot be used: {error.strerror}. Choose another with --port."
            ) from error
        taken.set_inheritable(True)
        yield taken


@contextmanager
def _stopping() -> Generator[None]:
    """Turn the first request to stop into Stopped, so that every block ends as it should; later ones change nothing."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _announce(listening: socket.socket, settings: Settings) -> None:
    """Say where the service is once it answers there."""
    host: str = listening.getsockname()[0]
    port: int = listening.getsockname()[1]
    near: str = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if _answers(near, port):
            shown = f"[{near}]" if ":" in near else near
            typer.echo(f"Plek is ready: http://{shown}:{port}")
            if settings.demo:
                typer.echo(_how_to_enter(settings))
            return
        time.sleep(PAUSE_S)


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
    from app.services.demo import slug_of  # noqa: PLC0415 - as above

    files = load()
    providers = [slug_of(name) for name in files.demo.providers[:2]]
    folder = f" --data-dir {settings.data_dir}"
    return "\n".join(
        (
            "Its start page signs you in with one press, as one of the demo's people.",
            "Tokens for its API, from another terminal:",
            *(f"  plek token --role intake_worker --role coordinator --provider {slug}{folder}" for slug in providers),
            f"  plek token --role auditor --region {files.regions[0].code}{folder}",
        )
    )
