"""Where no log line can be written any more, each request is answered all the same."""

import os
import re
import shlex
import subprocess
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from tests import forks
from tests.faults.cli_folder import Folder, Serving, end, port_of
from tests.faults.conftest import Copy

ASKED = 60
LOST = re.compile(r"^plek_log_lines_lost_total (\S+)$", re.MULTILINE)


@contextmanager
def closed_from_the_start(folder: Folder) -> Generator[subprocess.Popen[str]]:
    """Serve with no stderr at all, as a service manager may start it."""
    words = shlex.join(folder.command("serve", "--port", "0"))
    with subprocess.Popen(
        ["sh", "-c", f"exec {words} 2>&-"],  # noqa: S607 - of every system
        env=folder.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


@contextmanager
def nobody_reads(folder: Folder) -> Generator[subprocess.Popen[str]]:
    """Serve with a stderr whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as stderr, _served(folder, stderr.fileno()) as process:
        yield process


@contextmanager
def the_reader_stands_still(folder: Folder) -> Generator[subprocess.Popen[str]]:
    """Serve with a stderr that is full, as nobody reads on."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)  # for filling it; put back below
    while True:
        try:
            os.write(writer, b" " * 4096)
        except BlockingIOError:
            break
    os.set_blocking(writer, True)
    with (
        os.fdopen(reader, "rb"),
        os.fdopen(writer, "wb") as stderr,
        _served(folder, stderr.fileno()) as process,
    ):
        yield process


@contextmanager
def the_disk_is_full(folder: Folder) -> Generator[subprocess.Popen[str]]:
    """Serve with a stderr on a disk that has no room."""
    with Path("/dev/full").open("wb") as stderr, _served(folder, stderr.fileno()) as process:
        yield process


def _served(folder: Folder, stderr: int) -> subprocess.Popen[str]:
    words = ("-m", "app", "serve", "--port", "0")
    return forks.Forked(words, env=folder.environment(), stdout=subprocess.PIPE, stderr=stderr)


@pytest.mark.parametrize(
    "serve", [closed_from_the_start, nobody_reads, the_reader_stands_still, the_disk_is_full]
)
def test_every_request_is_answered_though_no_line_of_the_log_can_be_written(
    migrated: Copy, serve: Callable[[Folder], AbstractContextManager[subprocess.Popen[str]]]
) -> None:
    with serve(migrated()) as process:
        try:
            port = port_of(process)
            answers = Counter(answers_on_one_connection(port))
            lost = LOST.search(Serving(process, port).ask("/metrics")[1])
        finally:
            end(process)

    assert answers == {404: ASKED}
    assert process.returncode == 0
    assert lost
    assert float(lost[1]) >= (0 if serve is closed_from_the_start else ASKED)


def answers_on_one_connection(port: int) -> Iterator[int | str]:
    """Yield the status of each answer, or what cut the connection."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(ASKED):
        try:
            connection.request("GET", "/v1/nothing")
            with connection.getresponse() as response:
                response.read()
                yield response.status
        except (OSError, HTTPException) as error:
            connection.close()
            yield type(error).__name__
    connection.close()
