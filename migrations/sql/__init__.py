"""Functions and rules for rows as they stand now, a file a subject."""

import re
from pathlib import Path

from alembic import op

HERE = Path(__file__).parent

SUBJECTS = (
    "states",
    "callers",
    "reference",
    "registry",
    "accounts",
    "notices",
    "account_changes",
    "vouchings",
    "budgets",
    "alternatives",
    "referrals",
    "rankings",
    "holds",
    "placements",
    "proposals",
    "swaps",
    "dues",
    "ledger",
    "shares",
    "monitor",
    "access_log",
    "reviews",
    "operations",
)
"""Every file, in the order for an empty database: rules and triggers call what comes before."""

CLEAR = """DO $$
DECLARE rule record;
BEGIN
  FOR rule IN SELECT tablename, policyname FROM pg_policies
              WHERE schemaname = current_schema() AND tablename IN ({names})
  LOOP
    EXECUTE format('DROP POLICY %I ON %I', rule.policyname, rule.tablename);
  END LOOP;
END $$"""


def apply(*subjects: str) -> None:
    """Make the functions, triggers, grants and rules of subjects what their files say.

    A migration that changes some of them changes the file and says so, as often as is needed:

        from migrations import sql

        def upgrade() -> None:
            sql.apply("holds")

    A file says what holds once the newest migration has run, and may name tables that a migration
    on the way there has yet to make. So the last step applies every file (`env.py`), in its own
    transaction. A function that goes, or whose parameters change, is dropped by the migration
    itself.
    """
    unknown = set(subjects) - set(SUBJECTS)
    if unknown:
        raise ValueError(unknown)


def apply_files(*subjects: str) -> None:
    """Make the functions, triggers, grants and rules of some subjects what their files say.

    The grants and rules of a file's tables are taken back first, so that afterwards they are
    exactly what the file says; all rules of a table therefore stand in one file.
    """
    for subject in subjects:
        script = _read(subject)
        if tables := tables_of(script):
            op.execute(CLEAR.format(names=", ".join(f"'{table}'" for table in tables)))
            op.execute(f"REVOKE ALL ON {', '.join(tables)} FROM plek_app")
        _execute(script)


def run(file: Path) -> None:
    """Execute the statements of a file."""
    _execute(file.read_text(encoding="utf-8"))


def drop(file: Path) -> None:
    """Drop the tables that a file creates, and every function of the subjects."""
    tables = re.findall(r"^CREATE TABLE (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    # Rules ask functions, so they go with their tables, and triggers too.
    op.execute(f"DROP TABLE {', '.join(tables)}")
    # Functions are made of one another: they go together.
    functions = [name for subject in SUBJECTS for name in functions_of(_read(subject))]
    op.execute(f"DROP FUNCTION {', '.join(functions)}")


GRANTED_OR_RULED = re.compile(
    r'^GRANT [^;]* ON (\w+) TO plek_app;$|^CREATE POLICY (?:\w+|"\w+") ON (\w+)', re.MULTILINE
)


def tables_of(script: str) -> list[str]:
    """Return the tables that a file grants something on or has rules for, in its order."""
    named = GRANTED_OR_RULED.findall(script)
    return list(dict.fromkeys(granted or ruled for granted, ruled in named))


def functions_of(script: str) -> list[str]:
    """Return the names of the functions that a file defines."""
    return re.findall(r"^CREATE OR REPLACE FUNCTION (\w+)", script, re.MULTILINE)


def statements(script: str) -> list[str]:
    """Return the statements of a file.

    Each ends with a semicolon at the end of a line, outside a function's body in `$$`.
    """
    found: list[str] = []
    lines: list[str] = []
    in_body = False
    for line in script.splitlines():
        in_body ^= line.count("$$") % 2 == 1
        lines.append(line)
        if line.endswith(";") and not in_body:
            found.append("\n".join(lines).strip().removesuffix(";"))
            lines.clear()
    return found


def _read(subject: str) -> str:
    return (HERE / f"{subject}.sql").read_text(encoding="utf-8")


def _execute(script: str) -> None:
    for statement in statements(script):  # the driver takes one at a time
        op.execute(statement)
