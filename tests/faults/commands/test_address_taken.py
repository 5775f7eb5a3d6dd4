"""Of two that begin to serve at one address at one moment, one does.

The other says why not.
"""

import re
import socket
import subprocess
import threading
from dataclasses import dataclass
from http.client import HTTPConnection

import pytest

from app.commands.progress import Progress
from app.commands.serve.address import Address, listen
from app.commands.serve.door import answer_at
from app.embedded import locks
from app.embedded.folder import DataFolder
from app.errors import OperatorError
from tests import forks
from tests.faults.cli_folder import WITHIN_S, Folder, Serving, end
from tests.faults.conftest import Copy

READY = re.compile(r"ready: http://127\.0\.0\.1:\d+")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def begin(folder: Folder, port: int, *words: str) -> subprocess.Popen[str]:
    command = ("-m", "app", "serve", "--port", str(port), *words)
    return forks.Forked(
        command, env=folder.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def heard_ready(process: subprocess.Popen[str]) -> bool:
    """Whether it says that it is ready, before it ends."""
    assert process.stdout is not None
    return any(READY.search(line) for line in process.stdout)


@pytest.mark.parametrize(
    "same,more",
    [(True, ()), (False, ("--workers", "2"))],
    ids=["one folder", "two folders, several processes"],
)
def test_of_two_begun_at_one_moment_one_serves_and_the_other_says_why_not(
    migrated: Copy, *, same: bool, more: tuple[str, ...]
) -> None:
    port, folder = free_port(), migrated()
    both = [begin(where, port, *more) for where in (folder, folder if same else migrated())]
    try:
        said = [heard_ready(process) for process in both]

        assert sorted(said) == [False, True]
        winner, loser = both[said.index(True)], both[said.index(False)]
        _, words = loser.communicate(timeout=WITHIN_S)
        assert loser.returncode == 2
        assert words.count("\n") == 1, words
        taken = f"plek: 127.0.0.1 port {port} is taken: another Plek serves there."
        assert words.startswith(taken), words
        assert "--port" in words
        assert Serving(winner, port).ask("/health/ready")[0] == 200
    finally:
        for process in both:
            end(process)


def test_one_folder_is_served_at_two_addresses_by_one_pair_of_servers(migrated: Copy) -> None:
    folder = migrated()
    with folder.serving() as first, folder.serving() as second:
        assert (first.ask("/health/ready")[0], second.ask("/health/ready")[0]) == (200, 200)
        assert first.stop()[0] == 0
        assert second.ask("/health/ready")[0] == 200
    assert folder.stopped


def test_of_many_that_take_an_address_at_once_one_has_it() -> None:
    port, taken, ready, tried = free_port(), list[int](), threading.Barrier(8), threading.Barrier(8)

    def take() -> None:
        ready.wait()
        try:
            with (
                listen(Address("127.0.0.1", port)) as listening,
                answer_at(listening, progress=Progress(print)),
            ):
                taken.append(listening.getsockname()[1])
                tried.wait()
        except OperatorError:
            tried.wait()

    several = [threading.Thread(target=take) for _ in range(8)]
    for one in several:
        one.start()
    for one in several:
        one.join()

    assert taken == [port]


def test_an_address_says_who_has_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        threading.Thread(target=_hang_up, args=(taken,), daemon=True).start()
        with (
            pytest.raises(OperatorError, match=r"another program.*--port"),
            listen(Address("127.0.0.1", taken.getsockname()[1])),
        ):
            pass


def test_until_the_service_is_there_its_address_answers_that_it_is_not(migrated: Copy) -> None:
    """The servers' start is held up by their lock, as by another Plek that is at it."""
    folder, port = migrated(), free_port()
    with locks.hold_for_block(DataFolder(folder.path).lock("start"), within_seconds=5):
        process = begin(folder, port)
        try:
            page, problem = looked_at(port), looked_at(port, path="/v1/providers")
        except BaseException:
            end(process)
            raise
    try:
        assert heard_ready(process)
        assert Serving(process, port).ask("/health/ready")[0] == 200
    finally:
        end(process)
    assert (page.status, page.headers["Retry-After"], problem.status) == (503, "2", 503)
    assert "Plek is nog niet klaar." in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert problem.headers["Content-Type"] == "application/problem+json"
    assert '"unavailable"' in problem.text


@dataclass(frozen=True)
class Seen:
    status: int
    headers: dict[str, str]
    text: str


def _hang_up(taken: socket.socket) -> None:
    taken.accept()[0].close()


def looked_at(port: int, *, path: str = "/") -> Seen:
    """Return what a browser gets there, once anybody answers at all."""
    for _ in range(WITHIN_S * 10):
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path, headers={"Accept-Language": "nl"})
            answer = connection.getresponse()
            return Seen(answer.status, dict(answer.headers.items()), answer.read().decode())
        except ConnectionRefusedError:
            threading.Event().wait(0.1)
        finally:
            connection.close()
    raise AssertionError
