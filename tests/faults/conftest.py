"""Data folders that are made once a run, by the first test that needs one, and copied.

A copy takes a tenth of the time.
"""

import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.conftest import alone
from tests.faults.cli_folder import Folder

Copy: TypeAlias = Callable[[], Folder]
"""Makes another copy of a data folder whose servers are stopped."""


def once(shared: Path, folder: Folder, *words: str) -> None:
    """Run a command on a folder unless that was done in this run.

    Anybody else waits meanwhile.
    """
    done = shared / f"made-{folder.path.parent.name}"
    with alone(shared, done.name):
        if not done.exists():
            folder.run(*words)
            done.touch()


def beside(servers_folder: Path) -> Path:
    """Return where another data folder can be, in memory if the tests' servers are.

    It goes with them.
    """
    return servers_folder.with_name(f"copy-{secrets.token_hex(6)}") / "var"


def copy(folder: Folder, to: Path) -> Folder:
    """Copy a data folder with the owner of each file, as a backup does."""
    to.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", folder.path, to], check=True)  # noqa: S607 - a program of every system
    return Folder(to)


@pytest.fixture(scope="session")
def migrated(shared: Path, servers_folder: Path) -> Copy:
    """Copy a data folder with this release's tables, the reference data and no provider."""
    made = Folder(servers_folder.with_name("migrated") / "var")
    once(shared, made, "migrate")
    return lambda: copy(made, beside(servers_folder))


@pytest.fixture(scope="session")
def demo(shared: Path, servers_folder: Path, migrated: Copy) -> Copy:
    """Copy a data folder with the demo country in it, that nobody has used.

    Without its past.
    """
    made = Folder(servers_folder.with_name("demo") / "var")
    with alone(shared, "copied-demo"):
        if not made.path.exists():
            copy(migrated(), made.path)
    once(shared, made, "demo", "--no-past")
    return lambda: copy(made, beside(servers_folder))
