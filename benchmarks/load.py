"""The load generator.

A process of its own, with raw sockets and requests that were made before the clock started.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict, cast

import uvloop

from benchmarks.figures import Run, percentile
from benchmarks.wire import answer

ROOT = Path(__file__).resolve().parent.parent
LONGEST_S = 120


class Work(TypedDict):
    """What the generator is told to do: bytes as Latin-1, so that they are JSON."""

    port: int
    clients: int
    requests: list[str]


class Found(TypedDict):
    """What it found."""

    seconds: float
    cpu_seconds: float
    latencies_ms: list[float]
    statuses: dict[str, int]


class RunFailed(Exception):
    """The server gave other answers than were asked for.

    There is nothing to compare.
    """


@dataclass(slots=True)
class Tally:
    """Requests that are still to be sent, and what came back."""

    requests: Iterator[bytes]
    latencies_ms: list[float] = field(default_factory=list[float])
    statuses: Counter[int] = field(default_factory=Counter[int])


class Client(asyncio.Protocol):
    """One connection, which sends the next request as soon as the last one is answered."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._received = bytearray()
        self._began = 0.0
        self._transport: asyncio.WriteTransport | None = None
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's does not say so
        self._next()

    def data_received(self, data: bytes) -> None:
        """Take in a part of an answer."""
        self._received += data
        found = answer(self._received)
        if found is None:
            return
        self._tally.latencies_ms.append((time.perf_counter() - self._began) * 1000)
        self._tally.statuses[found.status] += 1
        del self._received[: found.end]
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell those who wait for this client that it will not end by itself."""
        if not self.ended.done():
            self.ended.set_exception(exc or ConnectionError("the server closed the connection"))

    def _next(self) -> None:
        assert self._transport is not None  # noqa: S101 - set when the connection was made
        following = next(self._tally.requests, None)
        if following is None:
            if not self.ended.done():
                self.ended.set_result(None)
            self._transport.close()
            return
        self._began = time.perf_counter()
        self._transport.write(following)


async def send(port: int, requests: Sequence[bytes], *, clients: int) -> Tally:
    """Send all requests over this many connections."""
    tally = Tally(iter(requests))
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: Client(tally), "127.0.0.1", port)
        for _ in range(clients)
    ]
    await asyncio.gather(*(client.ended for _, client in opened))
    return tally


async def generate(work: Work) -> Found:
    """Send what is to be sent, and measure."""
    requests = [text.encode("latin-1") for text in work["requests"]]
    began, cpu = time.perf_counter(), time.process_time()
    tally = await send(work["port"], requests, clients=work["clients"])
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "latencies_ms": tally.latencies_ms,
        "statuses": {str(status): count for status, count in tally.statuses.items()},
    }


def measure(port: int, requests: Sequence[bytes], *, clients: int, expect: int) -> Run:
    """Let a process of its own send the requests.

    Raise RunFailed if one had another status than expected.
    """
    work: Work = {
        "port": port,
        "clients": clients,
        "requests": [one.decode("latin-1") for one in requests],
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(work, file)
        file.flush()
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.load", file.name],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            timeout=LONGEST_S,
            check=True,
        )
    found: Found = json.loads(done.stdout)
    if found["statuses"] != {str(expect): len(requests)}:
        message = f"expected {len(requests)} answers with status {expect}, got {found['statuses']}"
        raise RunFailed(message)
    return Run(
        requests=len(requests),
        seconds=found["seconds"],
        p50_ms=percentile(found["latencies_ms"], 0.50),
        p99_ms=percentile(found["latencies_ms"], 0.99),
        generator_share=found["cpu_seconds"] / found["seconds"],
    )


if __name__ == "__main__":
    told: Work = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(json.dumps(uvloop.run(generate(told))))
