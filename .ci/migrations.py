"""Show on a real PostgreSQL that the migrations are safe, reversible and fit the models."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # also before Plek itself is installed

from app.embedded import servers  # noqa: E402 -- needs the line above

ALEMBIC = (sys.executable, "-m", "alembic")
ROUNDS = (("upgrade", "head"), ("check",), ("downgrade", "base"), ("upgrade", "head"), ("check",))


class Refused(Exception):
    """A tool found fault; its own words are the message."""


def run(*command: str, env: dict[str, str] | None = None) -> str:
    """Run a tool and return what it printed.

    Raise Refused with its words if it finds fault.
    """
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | (env or {}), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refused(f"{' '.join(command[1:])} found fault:\n{done.stdout}{done.stderr}")
    return done.stdout


def lint(folder: Path) -> None:
    """Have squawk read the SQL of every migration for what would lock or break a database in use."""
    timeouts, *transactions = run(*ALEMBIC, "upgrade", "head", "--sql").split("BEGIN;\n")
    # One file for each transaction: what squawk knows of a new table ends where its transaction
    # does.
    for number, transaction in enumerate(transactions, start=1):
        sql = timeouts + transaction.replace("COMMIT;\n", "")
        (folder / f"{number:04}.sql").write_text(sql, encoding="utf-8")
    scripts = [str(script) for script in sorted(folder.glob("*.sql"))]
    run(str(Path(sys.executable).with_name("squawk")), "--config", ".squawk.toml", *scripts)
    print("squawk: nothing in the migrations locks or breaks a database in use")


def rehearse(folder: Path) -> None:
    """Migrate a new database up, down and up again, comparing it with the models each time it is up."""
    with servers(folder / "data", durable=False) as endpoints:
        env = {"PLEK_OWNER_URL": endpoints.owner_url, "DATABASE_URL": endpoints.database_url}
        for step in ROUNDS:
            run(*ALEMBIC, *step, env=env)
    print("alembic: up, down and up again; the models and the database agree")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="plek-migrations-") as made:
        try:
            lint(Path(made))
            rehearse(Path(made))
        except Refused as refused:
            raise SystemExit(str(refused)) from None
