"""`plek simulate` prints its tables, writes its pictures, and takes a draft policy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree.ElementTree import fromstring

import pytest
import typer
from typer.testing import CliRunner

from app.cli import plek
from app.commands.simulate import simulate
from app.errors import OperatorError
from app.reference import policy_document
from app.simulation.figures import COLUMNS
from app.simulation.ways import SWEPT

if TYPE_CHECKING:
    from pathlib import Path

DAYS = 4


def test_it_prints_and_draws_every_figure_of_every_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made" / "here"

    simulate(seed=3, days=DAYS, policy_file=None, swept=True, out=out)

    printed = capsys.readouterr()
    for words in (
        "Seed 3",
        "Nearest safe place",
        "Phone round",
        "Plek with caps",
        "a phone round by",
    ):
        assert words in printed.out
    assert all(column.title in printed.out for column in COLUMNS.values())
    pictures = {path.name for path in out.glob("*.svg")}
    assert pictures == {f"{name}.svg" for name in (*COLUMNS, "deviation-by-day", "frontier")}
    assert all(
        fromstring(path.read_text("utf-8")).tag.endswith("svg")  # noqa: S314 - our own
        for path in out.glob("*.svg")
    )
    assert "Total relative deviation" in (out / "figures.csv").read_text(encoding="utf-8")
    assert (out / "sweep.csv").read_text(encoding="utf-8").startswith(f"figure,{SWEPT[0]},")
    assert str(out) in printed.err


def test_it_tries_a_draft_and_writes_nothing_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    draft = tmp_path / "draft.json"
    draft.write_text(json.dumps(policy_document() | {"version": "a-draft"}), encoding="utf-8")

    simulate(seed=1, days=3, policy_file=draft, swept=False, out=None)

    assert "Policy a-draft." in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["draft.json"]


def test_a_file_that_is_no_policy_is_refused_with_its_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = tmp_path / "draft.json"
    draft.write_text(json.dumps(policy_document() | {"renewals": -1}), encoding="utf-8")

    with pytest.raises(typer.Exit):
        simulate(seed=1, days=3, policy_file=draft, swept=False, out=None)

    assert "/renewals" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(OperatorError, match="cannot be written"):
        simulate(seed=1, days=1, policy_file=None, swept=False, out=tmp_path / "file" / "folder")


def test_the_command_says_what_it_takes() -> None:
    shown = CliRunner().invoke(plek, ["simulate", "--help"], env={"COLUMNS": "160"})

    assert shown.exit_code == 0
    assert {
        word
        for word in ("--seed", "--days", "--policy", "--sweep", "--out")
        if word not in shown.output
    } == set()
