"""A database of another program, branch or release gets a sentence from every command."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.country import THERE, Country
from tests.faults.commands.test_logs_of_commands import MAIN, ended, environment

ID = "00000000-0000-4000-8000-000000000000"
WORDS = {
    "serve": ("--port", "0"),
    "token": ("--role", "administrator"),
    "account": ("chief@plek.example", "--role", "administrator"),
    "revoke": (ID,),
    "import": ("weights", "weights.csv"),
    "migrate": (),
    "worker": (),
    "erase": (ID,),
    "replay": (ID,),
    "check": (),
    "review": (),
    "policy": ("list",),
    "ledger": ("export", "ledger.jsonl"),
    "doctor": (),
}


@pytest.mark.parametrize(
    "revision,commands",
    [("3f9c2a71b0de", WORDS.keys()), ("0003", ("serve", "migrate"))],
    ids=["another program", "before all that this release has"],
)
async def test_tables_of_another_program_or_branch_are_named_by_every_command(
    revision: str, commands: Iterable[str], country: Country, tmp_path: Path
) -> None:
    await country.rows("UPDATE alembic_version SET version_num = :at", at=revision)
    env = environment(country, tmp_path / "var")
    (tmp_path / "weights.csv").write_text(f"region,weight,source,date\n{THERE},1,x,2026-01-01\n")

    for name in commands:
        given = (
            str(tmp_path / word) if "." in word and "@" not in word else word
            for word in WORDS[name]
        )
        code, text = await ended(MAIN, name, *given, env=env)

        assert code == (1 if name == "doctor" else 2), (name, text)
        assert f"at migration {revision}" in text, (name, text)
        assert "Traceback" not in text
        assert "uncaught" not in text, (name, text)


async def test_tables_that_only_look_like_this_releases_get_a_sentence(
    country: Country, tmp_path: Path
) -> None:
    await country.rows("UPDATE alembic_version SET version_num = '9999'")
    await country.rows("ALTER TABLE accounts RENAME COLUMN region TO area")

    code, text = await ended(
        MAIN, "token", "--role", "auditor", "--region", THERE, env=environment(country, tmp_path)
    )

    assert code == 1
    assert "tables are not those of this release" in text
    assert "Traceback" not in text
