"""Migrate the database's tables to this release's, as their owner.

The migrations stand beside the package, in the checkout (and in the container): `alembic.ini` next
to `app/`.
"""

import re
from functools import cache
from pathlib import Path

import app
from app.config import Settings
from app.errors import OperatorError

HOME = Path(app.__file__).resolve().parent.parent
"""The folder that holds `alembic.ini` and `migrations/`."""
NUMBER = re.compile(r"[0-9]{4}")


def newest() -> str:
    """Return the newest migration of this release; nothing where they are kept elsewhere."""
    return max(_numbers(), default="")


def is_behind(revision: str | None) -> bool:
    """Whether a database at this migration lacks some of this release's.

    A newer schema is as good: while a release is rolled out, both versions run beside each other.
    Raise OperatorError for one that no release of Plek has left; what is too old to be brought here
    is refused by the migrations themselves.
    """
    if revision is None:
        return True
    if not NUMBER.fullmatch(revision):
        raise OperatorError(
            f"The database is at migration {revision[:40]}, which is none of Plek's: another "
            "program or branch has made it. Use that one, or another data folder or DATABASE_URL."
        )
    return revision < newest()


@cache
def _numbers() -> frozenset[str]:
    """Return this release's migrations by number, in one line of succession."""
    files = (HOME / "migrations/versions").glob("[0-9]*_*.py")
    return frozenset(path.name.partition("_")[0] for path in files)


def migrate(owner_url: str, settings: Settings | None = None, *, to: str = "head") -> None:
    """Run every missing migration, up to one.

    Blocks; not for use on a thread with a running event loop.
    """
    file = HOME / "alembic.ini"
    if not file.is_file():
        raise OperatorError(
            f"{file} is missing: Plek migrates from its checkout or its container image, "
            "which hold the migrations."
        )
    # Here, because most commands find nothing to migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config(file)
    config.attributes["url"] = owner_url
    config.attributes["settings"] = settings or Settings()
    command.upgrade(config, to)
