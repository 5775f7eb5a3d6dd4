"""Show on a real PostgreSQL that the migrations are safe, reversible and fit the models."""

import io
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(
    ROOT
)  # Plek, also before it is installed; and migrations are its folder, not this file

from app.embedded import servers  # noqa: E402 -- needs the line above


class Refused(Exception):
    """A tool found fault; its own words are the message."""


def read_offline() -> str:
    """Return the SQL of every migration, a transaction each."""
    sql = io.StringIO()
    command.upgrade(Config(ROOT / "alembic.ini", output_buffer=sql), "head", sql=True)
    return sql.getvalue()


def lint(folder: Path) -> None:
    """Have squawk read every migration's SQL for what would lock or break a database."""
    timeouts, *transactions = read_offline().split("BEGIN;\n")
    # One file for each transaction: what squawk knows of a new table ends where its transaction
    # does.
    for number, transaction in enumerate(transactions, start=1):
        sql = timeouts + transaction.replace("COMMIT;\n", "")
        (folder / f"{number:04}.sql").write_text(sql, encoding="utf-8")
    squawk = str(Path(sys.executable).with_name("squawk"))
    scripts = [str(script) for script in sorted(folder.glob("*.sql"))]
    done = subprocess.run(
        [squawk, "--config", ".squawk.toml", *scripts],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Refused(f"squawk found fault:\n{done.stdout}{done.stderr}")
    print("squawk: nothing in the migrations locks or breaks a database in use")


def rehearse(folder: Path) -> None:
    """Migrate a new database up, down and up again; compare it with the models."""
    with servers(folder / "data", durable=False) as endpoints:
        config = Config(ROOT / "alembic.ini", stdout=io.StringIO())
        config.attributes["url"] = endpoints.owner_url
        try:
            command.upgrade(config, "head")
            command.check(config)
            command.downgrade(config, "base")
            command.upgrade(config, "head")
            command.check(config)
        except CommandError as error:
            raise Refused(f"alembic found fault: {error}") from error
    print("alembic: up, down and up again; the models and the database agree")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="plek-migrations-") as made:
        try:
            lint(Path(made))
            rehearse(Path(made))
        except Refused as refused:
            raise SystemExit(str(refused)) from None
