"""`plek ledger`: what a controller takes along, checks and keeps, without the service."""

import asyncio
import base64
import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.allocation.ledger.notes import (
    COSIGNS,
    CheckpointBody,
    Note,
    parse_checkpoint,
    parse_key,
    parse_note,
)
from app.embedded import servers
from app.ledger import ledger
from app.ledger.signed_notes import sign, signer_of, verifier_of
from app.seal import KEY_FILE, new_key
from tests import rfc9162
from tests.casework import desk
from tests.country import FIRST_LEAF, HERE, THERE, open_country
from tests.faults.cli_folder import Folder
from tests.faults.conftest import Copy
from tests.faults.ledger.ledger_files import ORIGIN, SECRET, plek_in, watch

LEFT = {"destination": "new_home"}


@dataclass(frozen=True)
class Exports:
    """A data folder with two stays in its ledger, and what was exported of it."""

    folder: Folder
    small: Path
    """Before the second stay."""
    whole: Path
    for_here: Path
    """With the openings that HERE's auditors may see."""
    key: str


@pytest.fixture(scope="module")
def exports(migrated: Copy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exports]:
    out = tmp_path_factory.mktemp("exports")
    folder = migrated()
    with servers(folder.path) as endpoints:
        key = new_key()
        (folder.path / KEY_FILE).write_text(key + "\n", encoding="ascii")
        (folder.path / KEY_FILE).chmod(0o600)
        urls = {
            "owner_url": endpoints.owner_url,
            "app_url": endpoints.database_url,
            "redis_url": endpoints.redis_url,
        }
        asyncio.run(stays(key=key, **urls))
        plek_in(folder, "ledger", "export", out / "small.jsonl")
        asyncio.run(stays(key=key, **urls))
        plek_in(folder, "ledger", "export", out / "whole.jsonl")
        plek_in(folder, "ledger", "export", out / "here.jsonl", "--region", HERE)
        key = plek_in(folder, "ledger", "key").strip()
        yield Exports(folder, out / "small.jsonl", out / "whole.jsonl", out / "here.jsonl", key)


async def stays(**where: str) -> None:
    """Let a household arrive and leave, and another arrive.

    And write leaves in clear.
    """
    async with open_country(**where) as country:
        known = await country.rows("SELECT id FROM providers WHERE slug = 'linde'")
        slug = "eik" if known else "linde"
        at = await desk(country) if slug == "linde" else await second_desk(country)
        first = await at.arrived()
        await at.receiver.post(f"/placements/{first['id']}/departure", LEFT, expect=200)
        await at.arrived()
        for nights in range(3):
            async with country.owner.transaction() as tx:
                await ledger.append_clear(
                    tx, leaf_type="cap", content={"region": THERE, "nights": nights}
                )


async def second_desk(country: Any) -> Any:
    from tests.casework import Desk  # noqa: PLC0415 - only here
    from tests.country import shelter  # noqa: PLC0415 - only here

    return Desk(
        await country.client("intake_worker", provider="pine"), await shelter(country, "eik")
    )


def beside(export: Path, ending: str) -> Path:
    return export.with_name(export.name + ending)


def verify(export: Path, checkpoint: Path, *words: str | Path, expect: int = 0) -> str:
    return plek_in(
        None, "ledger", "verify", export, "--checkpoint", checkpoint, *words, expect=expect
    )


def size_of(export: Path) -> int:
    return parse_checkpoint(
        parse_note(beside(export, ".checkpoint").read_text(encoding="utf-8"))
    ).size


def test_an_export_has_one_line_a_leaf_and_is_what_was_signed(exports: Exports) -> None:
    lines = exports.whole.read_bytes().splitlines()
    assert [json.loads(line)["index"] for line in lines] == list(range(FIRST_LEAF + 12))
    assert {json.loads(line)["opening"] for line in lines} == {None}
    leaves = [base64.b64decode(json.loads(line)["leaf"]) for line in lines]
    note = parse_note(beside(exports.whole, ".checkpoint").read_text(encoding="utf-8"))
    assert parse_checkpoint(note) == CheckpointBody(ORIGIN, len(lines), rfc9162.mth(leaves))
    said = verify(exports.whole, beside(exports.whole, ".checkpoint"), "--key", exports.key)
    assert (
        said
        == "Right. These are the 14 leaves that plek.example/nl signed, and 0 openings fit their leaves.\n"
    )


def test_a_region_takes_the_openings_that_its_auditors_may_see(exports: Exports) -> None:
    said = verify(exports.for_here, beside(exports.for_here, ".checkpoint"))
    assert (
        "4 openings fit their leaves" in said
    )  # of the stays that ended; the others have not yet opened
    assert "--key says whose it should be" in said
    openings = [json.loads(line)["opening"] for line in exports.for_here.read_bytes().splitlines()]
    assert [opening["type"] for opening in openings if opening] == ["arrival", "departure"] * 2
    assert "no region with this code" in plek_in(
        exports.folder,
        "ledger",
        "export",
        exports.whole.with_name("none.jsonl"),
        "--region",
        "GM9999",
        expect=2,
    )
    assert not exports.whole.with_name("none.jsonl").exists()


def test_it_is_checked_by_a_process_that_has_nothing_but_the_files(
    exports: Exports, tmp_path: Path
) -> None:
    for ending in ("", ".checkpoint", ".hashes"):
        shutil.copy(beside(exports.for_here, ending), tmp_path / f"here.jsonl{ending}")
    command = [sys.executable, "-m", "app", "ledger", "verify", str(tmp_path / "here.jsonl")]
    command += ["--checkpoint", str(tmp_path / "here.jsonl.checkpoint"), "--key", exports.key]
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        command, env={"PATH": ""}, cwd=root, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Right.")


def test_any_change_is_found_and_the_first_wrong_leaf_named(
    exports: Exports, tmp_path: Path
) -> None:
    lines = exports.for_here.read_bytes().splitlines(keepends=True)
    shutil.copy(beside(exports.for_here, ".hashes"), tmp_path / "any.hashes")
    checkpoint = beside(exports.for_here, ".checkpoint")

    def named(*changed: bytes) -> str:
        (tmp_path / "changed.jsonl").write_bytes(b"".join(changed))
        return verify(tmp_path / "changed.jsonl", checkpoint, expect=1)

    for index in (0, 3, len(lines) - 1):
        line = lines[index]
        assert named(
            *lines[:index], line.replace(b'"leaf":"e', b'"leaf":"f'), *lines[index + 1 :]
        ).startswith(f"WRONG. leaf {index}: ")
        assert f"leaf {index}: " in named(*lines[:index], *lines[index + 1 :])
        assert f"leaf {index + 1}: " in named(*lines[: index + 1], line, *lines[index + 1 :])
    assert "leaf 4: " in named(*lines[:4], lines[5], lines[4], *lines[6:])
    opened = next(at for at, line in enumerate(lines) if b'"origin"' in line)
    forged = lines[opened].replace(b'"persons":"2"', b'"persons":"1"')
    assert f"leaf {opened}: its opening is not the one" in named(
        *lines[:opened], forged, *lines[opened + 1 :]
    )
    assert f"leaf {len(lines)}: it is one too many" in named(*lines, lines[-1])
    assert f"leaf {len(lines) - 1}: it is missing" in named(*lines[:-1])
    assert "leaf 0: it is missing" in named()


def test_an_export_that_is_only_older_than_the_checkpoint_is_not_called_wrong(
    exports: Exports, tmp_path: Path
) -> None:
    for ending in ("", ".checkpoint"):
        shutil.copy(beside(exports.small, ending), tmp_path / f"old.jsonl{ending}")
    old, newer = tmp_path / "old.jsonl", beside(exports.whole, ".checkpoint")
    size = size_of(old)

    for key in ((), ("--key", exports.key)):
        said = verify(old, newer, *key, expect=1)
        assert said.startswith("OLDER. This export is older than the checkpoint")
        assert f"all {size} leaves" in said
        assert "The checkpoint signs 14" in said

    # What was cut off or changed is wrong, whatever lies beside it; so is what another signed.
    whole = old.read_bytes().splitlines(keepends=True)
    old.write_bytes(b"".join(whole[:-1]))
    assert f"WRONG. leaf {size - 1}: it is missing" in verify(old, newer, expect=1)
    old.write_bytes(b"".join([*whole[:-1], whole[-1].replace(b'"leaf":"e', b'"leaf":"f')]))
    assert verify(old, newer, expect=1).startswith(f"WRONG. leaf {size - 1}: ")
    old.write_bytes(b"".join(whole))
    own = beside(old, ".checkpoint")
    body = parse_checkpoint(parse_note(own.read_text(encoding="utf-8")))
    own.write_text(Note(body.text(), (sign(body.text(), SECRET, name=ORIGIN),)).to_text())
    assert verify(old, newer, "--key", exports.key, expect=1).startswith("WRONG. leaf ")
    own.unlink()
    assert f"WRONG. leaf {size}: it is missing" in verify(old, newer, expect=1)


def replaced(exports: Exports, folder: Path) -> tuple[Path, int]:
    """Return an export with a leaf replaced by another well-formed one, and its index."""
    lines = exports.whole.read_bytes().splitlines(keepends=True)
    index = next(
        at
        for at, line in enumerate(lines)
        if json.loads(line)["opening"] is None and at > FIRST_LEAF
    )
    leaf = json.loads(base64.b64decode(json.loads(lines[index])["leaf"]))
    leaf["commitment" if "commitment" in leaf else "content"] = "0" * 64
    written = json.dumps(leaf, sort_keys=True, separators=(",", ":")).encode()
    line = {"index": index, "leaf": base64.b64encode(written).decode(), "opening": None}
    lines[index] = json.dumps(line).encode() + b"\n"
    path = folder / "replaced.jsonl"
    path.write_bytes(b"".join(lines))
    return path, index


def test_a_leaf_that_was_replaced_whole_is_named_by_the_signed_hashes_wherever_they_lie(
    exports: Exports, tmp_path: Path
) -> None:
    path, index = replaced(exports, tmp_path)
    said = verify(path, beside(exports.whole, ".checkpoint"), expect=1)
    assert said.startswith(f"WRONG. leaf {index}: it is not the leaf that was signed.")
    alone = tmp_path / "alone.checkpoint"
    shutil.copy(beside(exports.whole, ".checkpoint"), alone)
    (tmp_path / "forged.hashes").write_bytes(b"A" * 43 + b"=\n")
    said = verify(path, alone, expect=1)
    assert "one of the 14 leaves is not the one that was signed" in said


def test_a_checkpoint_of_somebody_else_is_found(exports: Exports, tmp_path: Path) -> None:
    other = verifier_of(SECRET, name=ORIGIN).to_text()
    said = verify(exports.whole, beside(exports.whole, ".checkpoint"), "--key", other, expect=1)
    assert "not signed by the key" in said
    (tmp_path / "key").write_text(exports.key + "\n")
    verify(exports.whole, beside(exports.whole, ".checkpoint"), "--key", tmp_path / "key")
    older = verify(exports.whole, beside(exports.small, ".checkpoint"), expect=1)
    assert f"leaf {size_of(exports.small)}: it is one too many" in older


@pytest.mark.parametrize(
    "content", [b"", b"no note", b"\xff\n\n", b"one\ntwo\n\n\xe2\x80\x94 a AQIDBAUG\n"]
)
def test_what_is_no_checkpoint_is_trouble_and_no_verdict(
    exports: Exports, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "note").write_bytes(content)
    assert "this" in verify(exports.whole, tmp_path / "note", expect=2)
    assert "cannot be read" in verify(exports.whole, tmp_path / "none", expect=2)
    assert "cannot be read" in verify(
        tmp_path / "none", beside(exports.whole, ".checkpoint"), expect=2
    )
    assert "--key" in verify(
        exports.whole, beside(exports.whole, ".checkpoint"), "--key", "nonsense", expect=2
    )


def test_the_keys_are_told_and_a_new_one_signs_beside_the_old(
    exports: Exports, tmp_path: Path
) -> None:
    assert parse_key(exports.key).name == ORIGIN
    assert plek_in(exports.folder, "ledger", "key").strip() == exports.key
    new, old = plek_in(exports.folder, "ledger", "key", "--new").split()
    assert (old, new != old) == (exports.key, True)
    assert plek_in(exports.folder, "ledger", "key").split() == [new, old]
    plek_in(exports.folder, "ledger", "export", tmp_path / "same.jsonl")
    verify(tmp_path / "same.jsonl", tmp_path / "same.jsonl.checkpoint", "--key", old)


def test_a_witness_keeps_and_cosigns_what_only_grew(exports: Exports, tmp_path: Path) -> None:
    state, small, whole = (
        tmp_path / "state",
        *(beside(one, ".checkpoint") for one in (exports.small, exports.whole)),
    )
    assert "needs --key" in watch(state, small, expect=2)
    first = watch(state, small, "--key", exports.key, "--name", "GM0193")
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert "Seen before" in watch(state, small)
    assert "consistency-proofs?from=8&to=14" in watch(state, whole, expect=2)
    cosigned = parse_note(watch(state, whole, "--export", exports.whole))
    witness = parse_key(first.splitlines()[0].removeprefix("Witness: "))
    assert (witness.name, witness.kind) == ("GM0193", COSIGNS)
    assert signer_of(cosigned, [witness]) == witness
    assert signer_of(cosigned, [parse_key(exports.key)]) is not None
    assert len(json.loads(state.read_bytes())["checkpoints"]) == 2
