"""Bring the database's tables to this release's, as their owner.

The migrations stand beside the package, in the checkout (and in the container): `alembic.ini` next
to `app/`.
"""

from pathlib import Path

import app
from app.errors import OperatorError

HOME = Path(app.__file__).resolve().parent.parent
"""The folder that holds `alembic.ini` and `migrations/`."""


def newest() -> str:
    """Return the newest migration of this release.

    The files begin with their number, in one line of succession.
    """
    return max(
        (
            path.name.partition("_")[0]
            for path in (HOME / "migrations/versions").glob("[0-9]*_*.py")
        ),
        default="",
    )


def migrate(owner_url: str, *, to: str = "head") -> None:
    """Run every migration that is missing, up to one.

    Blocks; not for use on a thread with a running event loop.
    """
    settings = HOME / "alembic.ini"
    if not settings.is_file():
        raise OperatorError(
            f"{settings} is missing: Plek migrates from its checkout or its container image, "
            "which hold the migrations."
        )
    # Here, because most commands find nothing to migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config(settings)
    config.attributes["url"] = owner_url
    command.upgrade(config, to)
