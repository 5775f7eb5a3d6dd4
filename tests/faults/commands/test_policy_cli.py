"""`plek policy`, and what becomes of rankings whose rules are gone, on a real data folder."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import plek
from app.embedded import servers
from app.errors import OperatorError, Refusal
from app.reference import policy_document
from app.seal import KEY_FILE, new_key
from tests.country import FAR, open_country, referral_body, shelter
from tests.faults.cli_folder import Folder
from tests.faults.conftest import Copy

REFERRALS = 12


@pytest.fixture(scope="module")
def folder(migrated: Copy) -> Iterator[Folder]:
    """A data folder with referrals ranked among two sites, one by rules that are gone."""
    made = migrated()
    with servers(made.path) as endpoints:
        key = new_key()
        (made.path / KEY_FILE).write_text(key + "\n", encoding="ascii")
        (made.path / KEY_FILE).chmod(0o600)
        urls = {
            "owner_url": endpoints.owner_url,
            "app_url": endpoints.database_url,
            "redis_url": endpoints.redis_url,
        }
        asyncio.run(ranked(key=key, **urls))
        yield made


async def ranked(**where: str) -> None:
    async with open_country(**where) as country:
        await shelter(country, "linde")
        await shelter(country, "eik", site={"municipality": FAR}, kind="regular")
        intake = await country.client("intake_worker", provider="haven")
        ids = [
            (await intake.post("/referrals", referral_body()))["id"] for _ in range(REFERRALS + 1)
        ]
        for id_ in (*ids, ids[0]):  # the first twice: only its last ranking counts
            await intake.post(f"/referrals/{id_}/rankings")
        await country.rows(
            "UPDATE rankings SET rules_version = '0' WHERE referral_id = :id", id=ids[1]
        )


def plek_in(folder: Folder, *words: str | Path, expect: int = 0) -> str:
    """Run a command in this process, which takes a tenth of the time.

    Return all that it says.
    """
    done = CliRunner().invoke(plek, [*map(str, words)], env={"PLEK_DATA_DIR": str(folder.path)})
    if isinstance(done.exception, OperatorError | Refusal):
        return str(done.exception)
    assert done.exit_code == expect, f"exit {done.exit_code}\n{done.output}{done.exception!r}"
    return done.output


def written(path: Path, **changes: Any) -> Path:
    path.write_text(
        json.dumps(policy_document() | {"version": "draft", "valid_from": "2099-01-01"} | changes)
    )
    return path


def test_a_policy_is_published_listed_and_compared(folder: Folder, tmp_path: Path) -> None:
    draft, other = written(tmp_path / "draft.json", hold_minutes=90), tmp_path / "other.json"
    other.write_text(
        json.dumps({name: value for name, value in policy_document().items() if name != "review"})
    )

    said = plek_in(folder, "policy", "publish", draft)

    assert said.startswith("Published draft, in force from 2098-12-31 23:00:00 UTC: sha256:")
    assert plek_in(folder, "policy", "publish", draft) == said
    hash_ = said.split()[-1]
    lines = plek_in(folder, "policy", "list").splitlines()
    assert [line.split()[0] for line in lines] == ["version", "draft", "nl-demo-6"]
    assert (hash_ in lines[1], "now" in lines[1], "now" in lines[2]) == (True, False, True)
    assert plek_in(folder, "policy", "diff", "nl-demo-6", hash_, expect=1).splitlines() == [
        "changed  /hold_minutes  120 -> 90",
        'changed  /valid_from    "2026-01-01" -> "2099-01-01"',
        'changed  /version       "nl-demo-6" -> "draft"',
    ]
    assert plek_in(folder, "policy", "diff", draft, "draft") == "No differences.\n"
    missing = plek_in(folder, "policy", "diff", "draft", other, expect=1)
    assert "removed  /review/floor" in missing
    assert "300 -> 300 (not stated)" in missing


def test_every_fault_of_a_file_is_told(folder: Folder, tmp_path: Path) -> None:
    faulty = written(tmp_path / "faulty.json", hold_minutes=0, surprise=True)
    for words in (("publish", faulty), ("try", faulty), ("diff", faulty, "draft")):
        said = plek_in(folder, "policy", *words, expect=2)
        assert f"{faulty}: /hold_minutes must be from 1 to 10080" in said
        assert f"{faulty}: /surprise is not a known field" in said
    (tmp_path / "torn.json").write_text('{"version": "a", "version": "b"')
    assert "is not plain JSON" in plek_in(
        folder, "policy", "publish", tmp_path / "torn.json", expect=2
    )
    assert "cannot be read" in plek_in(
        folder, "policy", "publish", tmp_path / "none.json", expect=2
    )
    assert "Not found" in plek_in(folder, "policy", "diff", "none", faulty, expect=2)


def test_a_draft_is_tried_on_the_last_referrals_and_told_in_counts(
    folder: Folder, tmp_path: Path
) -> None:
    points = policy_document()["points"]
    assert isinstance(points, dict)
    points["fit"]["kinds"]["acute"] = {"crisis": 0, "regular": 900, "emergency": 0}  # pyright: ignore[reportArgumentType,reportCallIssue,reportIndexIssue,reportOptionalSubscript]
    draft = written(tmp_path / "draft.json", points=points)

    said = plek_in(folder, "policy", "try", draft)
    few = plek_in(folder, "policy", "try", draft, "--last", "5")

    assert said.startswith(
        f"{REFERRALS} referrals, each as it was ranked last; 1 could not be made again."
    )
    lines = [line.split() for line in said.splitlines()]
    assert ["another", "first", "offer", str(REFERRALS)] in lines
    assert ["offers", "in", "both", str(2 * REFERRALS)] in lines
    assert ["first", "offers", "in", FAR, f"+{REFERRALS}"] in lines
    assert "points for fit, on average" in said
    assert few.startswith("5 referrals, each as it was ranked last; 0 ")
    assert FAR not in few


def test_rankings_whose_rules_are_gone_are_told_by_the_doctor(folder: Folder) -> None:
    assert "warn  rules       rankings cite version 0, which this release does not have" in plek_in(
        folder, "doctor"
    )
