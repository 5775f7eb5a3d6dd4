"""Serving looks after Plek's own servers: what dies is started again, or serving ends."""

import os
import signal
import time
from collections.abc import Callable

from app.embedded import EmbeddedServers, dead_servers
from tests.faults.cli_folder import Serving
from tests.faults.conftest import Copy
from tests.faults.embedded.embedded_folder import pid

PATIENCE_S = 30


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_ready(serving: Serving) -> bool:
    status, said = serving.ask("/health/ready")
    return status == 200 and said["redis"] == "ok"


def test_a_server_that_died_is_started_again_and_counted_or_serving_ends(migrated: Copy) -> None:
    folder = migrated()
    with folder.serving() as serving:
        eventually(lambda: is_ready(serving))
        for name in ("postgres", "redis"):
            os.kill(pid(folder.path, name), signal.SIGKILL)
            counted = f'plek_server_restarts_total{{server="{name}"}} 1.0'
            eventually(lambda counted=counted: counted in serving.ask("/metrics")[1])
            eventually(lambda: is_ready(serving))

        (folder.path / "postgres" / "global" / "pg_control").rename(folder.path / "elsewhere")
        os.kill(pid(folder.path, "postgres"), signal.SIGKILL)
        _, said = serving.process.communicate(timeout=PATIENCE_S)
        assert serving.process.returncode == 2
        assert "PostgreSQL did not start" in said


def test_doctor_says_that_a_server_died_and_does_not_mend_it(migrated: Copy) -> None:
    folder = migrated()
    with EmbeddedServers(folder.path, durable=False):
        os.kill(pid(folder.path, "postgres"), signal.SIGKILL)
        eventually(lambda: dead_servers(folder.path) == ("postgres",))

        found = folder.run("doctor", expect=1).stdout

        assert "fail  postgres" in found
        assert dead_servers(folder.path) == ("postgres",)
