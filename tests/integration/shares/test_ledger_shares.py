"""`plek ledger shares` on what auditors export: the same digits without the service."""

import base64
import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from app.allocation.ledger.exports import export_line
from app.allocation.policy.documents import canonical_json
from app.cli import plek
from app.commands.ledger import ledger_shares
from tests.country import FAR, HERE, THERE, Country
from tests.ledger_stays import corrected, newest, opening, seal, stayed, totals

DAY = dt.timedelta(days=1)
LAST, BEFORE = newest(), newest(1)


async def two_quarters(country: Country) -> None:
    """Seal a quarter, learn a fact that changes it, and seal the next quarter."""
    index = await stayed(country, BEFORE.first + 3 * DAY, lawful_regions=(FAR, THERE))
    await stayed(
        country,
        BEFORE.last - 20 * DAY,
        LAST.first + 9 * DAY,
        origin=THERE,
        receiving=FAR,
        reason="capacity",
    )
    await seal(country, on=LAST.last)
    ready = opening(BEFORE.first + 3 * DAY, lawful_regions=(FAR, THERE), ready_since=BEFORE.last)
    await corrected(country, index, ready, code="ready_to_leave")
    await country.rows("ALTER TABLE openings DISABLE TRIGGER USER")
    await country.rows("UPDATE openings SET opens_at = clock_timestamp()")
    await seal(country)


async def exported(country: Country, region: str, file: Path, **changed: Any) -> Path:
    """Write an auditor's export for a region, with other nights given by Zwolle if named."""
    auditor = await country.client("auditor", region=region)
    with file.open("wb") as lines:
        for item in (await auditor.get("/ledger/entries"))["items"]:
            leaf = base64.b64decode(item["leaf"])
            if item["type"] == "quarter_total" and changed:
                said = json.loads(leaf)
                said["content"]["regions"][THERE] |= changed
                leaf, changed = canonical_json(said), {}
            lines.write(export_line(item["index"], leaf, item["opening"]))
    return file


def shares(*words: str | Path, expect: int = 0) -> str:
    done = CliRunner().invoke(plek, ["ledger", "shares", *map(str, words)])
    assert done.exit_code == expect, done.output
    return done.output


async def test_each_region_finds_its_own_figures_in_the_sealed_totals(
    country: Country, tmp_path: Path
) -> None:
    await two_quarters(country)
    for region in (HERE, THERE, FAR):
        said = shares(
            await exported(country, region, tmp_path / f"{region}.jsonl"), "--region", region
        )
        assert (
            said.count(f"the openings of {region} come to the same figures, digit for digit") == 2
        )
        assert f"{BEFORE}, leaf" in said
        assert "sealed anew" not in said
        assert re.search(r"books what leaves from \d+ on changed in earlier quarters", said)
        assert "Total relative deviation:" in said
        assert f"{LAST}, in nights" in said


async def test_a_figure_that_was_changed_is_named_and_so_is_its_quarter(
    country: Country, tmp_path: Path
) -> None:
    await two_quarters(country)
    file = await exported(country, THERE, tmp_path / "there.jsonl", given_safety=1)
    said = shares(file, "--region", THERE, expect=1)
    assert "WRONG. given_safety and received_safety do not agree in sum." in said
    assert f"WRONG. {THERE} given_safety: 1 was sealed, its openings come to " in said


async def test_without_the_openings_own_figures_are_not_to_be_had_and_the_table_is(
    country: Country, tmp_path: Path
) -> None:
    await two_quarters(country)
    file = await exported(country, "GM0363", tmp_path / "elsewhere.jsonl")
    said = shares(file, "--quarter", str(BEFORE))
    assert "--region names the region" in said
    assert f"{BEFORE}, in nights" in said


async def test_until_every_opening_is_open_nothing_that_differs_is_called_wrong(
    country: Country, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await two_quarters(country)
    file = await exported(
        country,
        "GM0363",
        tmp_path / "elsewhere.jsonl",
        # As if all of Zwolle's openings were still sealed.
    )
    said = shares(file, "--region", THERE)
    assert said.count("Not to be told yet. Its sums agree") == 2
    assert "WRONG" not in said

    opened = max(
        dt.date.fromisoformat(content["open_from"]) for _, _, content in await totals(country)
    )
    with pytest.raises(typer.Exit) as ended:
        ledger_shares.check(file, region=THERE, quarter=None, today=opened)
    assert ended.value.exit_code == 1
    assert f"WRONG. {THERE} given_safety: " in (said := capsys.readouterr().out)
    assert "export it anew: own ones may be among them" in said


async def test_what_is_no_export_and_a_quarter_that_is_not_there_are_said(
    country: Country, tmp_path: Path
) -> None:
    await two_quarters(country)
    file = await exported(country, HERE, tmp_path / "here.jsonl")
    for words in ((tmp_path / "nowhere.jsonl",), (file, "--quarter", "1999-Q1")):
        done = CliRunner().invoke(plek, ["ledger", "shares", *map(str, words)])
        assert done.exit_code == 1
        assert type(done.exception).__name__ == "OperatorError"
    file.write_bytes(file.read_bytes().replace(b'"reason":"safety"', b'"reason":"return"', 1))
    assert "WRONG. leaf" in shares(file, expect=1)
