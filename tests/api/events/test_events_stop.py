"""A process that is told to stop ends its streams first, and is gone at once."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from socket import socket

import httpx
import pytest

from tests.api.live_service import following
from tests.country import Country

ROOT = Path(__file__).parents[3]
PATIENCE_S = 30


@asynccontextmanager
async def serving(
    country: Country, *, workers: int
) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    """Serve in processes of their own, as `plek serve` does."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "DATABASE_URL": country.app_url,
        "PLEK_OWNER_URL": country.owner_url,
        "REDIS_URL": country.parts.link.url,
        "PLEK_KEY": country.key,
    }
    program = [
        sys.executable,
        "-m",
        "uvicorn",
        "app.main:from_environment",
        "--factory",
        "--ws",
        "none",
    ]
    process = await asyncio.create_subprocess_exec(
        *program,
        *("--port", str(port), "--workers", str(workers), "--timeout-graceful-shutdown", "20"),
        cwd=ROOT,
        env=environment,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as http, asyncio.timeout(PATIENCE_S):
            while not await is_ready(http, base):
                assert process.returncode is None
                await asyncio.sleep(0.05)
        yield process, base
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def is_ready(http: httpx.AsyncClient, base: str) -> bool:
    try:
        return (await http.get(f"{base}/health/ready")).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("workers", [1, 2])
async def test_told_to_stop_it_ends_open_streams_and_goes(country: Country, workers: int) -> None:
    await country.limit_budgets()  # another process takes no accounts of the demo
    token = await country.token("coordinator", provider="linde")
    async with serving(country, workers=workers) as (process, base), AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(following(base, token)) for _ in range(8)]

        process.send_signal(signal.SIGTERM)

        async with asyncio.timeout(10):  # half of what it would be given to finish
            assert [await stream.next() for stream in streams] == [None] * 8
            await process.wait()
