"""A command that fails says what failed and where, and repeats no secret."""

import asyncio
import os
from pathlib import Path

import pytest
from uvicorn.config import STARTUP_FAILURE

from tests import forks
from tests.country import THERE, Country
from tests.faults.planted_secrets import COMMANDS, Said, part, quoted

FAILING = (
    "import sys; from tests.faults.planted_secrets import Spill, plant; "
    "setattr(*plant(sys.argv.pop(1)), Spill()); "
)
MAIN = "from app.cli import main; main()"


def environment(country: Country | None, folder: Path) -> dict[str, str]:
    """Return the environment of a command, on this installation or on servers of its own."""
    of_servers = ("DATABASE_URL", "PLEK_OWNER_URL", "REDIS_URL", "PLEK_KEY")
    kept = {name: value for name, value in os.environ.items() if name not in of_servers}
    if country is None:
        return kept | {"PLEK_DATA_DIR": str(folder)}
    urls = (country.app_url, country.owner_url, country.parts.link.url, country.key)
    return kept | {"PLEK_DATA_DIR": str(folder)} | dict(zip(of_servers, urls, strict=True))


async def ended(*words: str, env: dict[str, str]) -> tuple[int, str]:
    """Run Python to its end; return its exit code and all that it said."""
    done = await asyncio.to_thread(forks.run, ("-c", *words), env=env, timeout=120)
    return done.returncode, done.stdout + done.stderr


def machine_lines(text: str) -> Said:
    """Return what was logged.

    The rest is sentences for the person at the terminal.
    """
    return Said("\n".join(line for line in text.splitlines() if line.startswith("{")))


@pytest.mark.parametrize("layer", COMMANDS)
async def test_a_failure_under_a_command_quotes_nobody(
    layer: str, country: Country, tmp_path: Path
) -> None:
    target, words = COMMANDS[layer]
    env = environment(None if layer == "embedded" else country, tmp_path / "var")

    code, text = await ended(FAILING + MAIN, target, *words, env=env)

    assert code == (STARTUP_FAILURE if layer == "main" else 1), text
    assert machine_lines(text).told("Spilt", through=part(layer))
    assert '  File "' not in text
    assert quoted(text) == []


async def test_a_command_that_the_database_refuses_quotes_no_row(
    country: Country, tmp_path: Path
) -> None:
    await country.rows(
        "ALTER TABLE accounts DISABLE ROW LEVEL SECURITY"
    )  # else it leaves the row out by itself
    await country.rows("ALTER TABLE accounts ADD CONSTRAINT never CHECK (region IS NULL) NOT VALID")

    code, text = await ended(
        MAIN, "token", "--role", "auditor", "--region", THERE, env=environment(country, tmp_path)
    )

    assert code == 1
    assert [link for link in machine_lines(text).exceptions if link.get("sqlstate") == "23514"]
    assert "Failing row" not in text
    assert THERE not in text


@pytest.mark.parametrize(
    "program",
    [
        (
            "import threading; thread = threading.Thread(target=Spill()); thread.start(); "
            "thread.join()"
        ),
        "Forgotten = type('Forgotten', (), {'__del__': lambda self: Spill()()}); Forgotten()",
    ],
    ids=["thread", "finalizer"],
)
async def test_what_nobody_catches_quotes_nobody(program: str, tmp_path: Path) -> None:
    begin = (
        "from app import logs; from tests.faults.planted_secrets import Spill; logs.configure(); "
        "logs.watch(); "
    )

    _, text = await ended(begin + program, env=environment(None, tmp_path))

    said = Said(text)
    assert said.told("Spilt", through="tests/faults/planted_secrets.py")
    assert quoted(text) == []
