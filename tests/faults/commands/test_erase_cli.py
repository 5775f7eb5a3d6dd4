"""`plek erase` on a data folder, and a backup of the folder that is put back."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app.embedded import servers
from tests.faults.cli_folder import Folder, Serving
from tests.faults.conftest import Copy

DESK = ("--role", "intake_worker", "--role", "coordinator", "--provider", "opvang-nevelduin")
WANTED = {
    "urgency": "acute",
    "originMunicipality": "GM0518",
    "household": {"adults": [{"gender": "female"}]},
}


@pytest.fixture(scope="module")
def folder(demo: Copy) -> Iterator[Folder]:
    """A data folder with the demo country in it, its servers kept running meanwhile."""
    made = demo()
    with servers(made.path):
        yield made


@pytest.fixture(scope="module")
def token(folder: Folder) -> str:
    return folder.token(*DESK)


@pytest.fixture(scope="module")
def serving(folder: Folder) -> Iterator[Serving]:
    with folder.serving() as found:
        yield found


def ranked(serving: Serving, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Register a referral and rank it."""
    _, referral = serving.ask("/v1/referrals", token=token, method="POST", body=WANTED)
    status, ranking = serving.ask(
        f"/v1/referrals/{referral['id']}/rankings", token=token, method="POST"
    )
    assert status == 201
    return referral, ranking


def test_a_referral_is_erased_beside_a_serving_plek_and_says_what_stays(
    folder: Folder, serving: Serving, token: str
) -> None:
    referral, ranking = ranked(serving, token)

    said = folder.run("erase", referral["reference"])

    assert said.stdout.startswith(
        f"Erased referral {referral['reference']} ({referral['id']}): its key is destroyed"
    )
    # The worker of the serving Plek may have ranked for it as well, for a place that came free.
    assert re.search(r"what its rankings saw \([12]\)", said.stdout)
    assert "holds (0), placements (0), the ledger and the access log" in said.stdout
    assert str(folder.path / "erasures") in said.stderr
    assert serving.ask(f"/v1/referrals/{referral['id']}", token=token)[0] == 410
    assert (folder.path / "erasures").read_text().startswith(f"{referral['id']} request ")

    replayed = folder.run("replay", ranking["id"], expect=1)
    assert replayed.stdout == ""
    assert "was erased" in replayed.stderr

    assert "was erased already" in folder.run("erase", referral["id"]).stdout


def test_who_has_a_place_is_told_what_to_do_first(
    folder: Folder, serving: Serving, token: str
) -> None:
    referral, ranking = ranked(serving, token)
    offer = ranking["offers"][0]
    wanted = {"referralId": referral["id"], "rankingId": ranking["id"], "offerId": offer["offerId"]}
    status, hold = serving.ask("/v1/holds", token=token, method="POST", body=wanted, key="hold")
    assert status == 201, json.dumps(hold)

    refused = folder.run("erase", referral["id"], expect=2)

    assert "A place is held for referral" in refused.stderr
    assert "release the hold" in refused.stderr
    assert serving.ask(f"/v1/referrals/{referral['id']}", token=token)[0] == 200


def test_what_cannot_be_understood_is_told(folder: Folder, tmp_path: Path) -> None:
    for words in ((), ("baba-baba", "--list", tmp_path / "x")):
        assert "Name a referral" in folder.run("erase", *words, expect=2).stderr
    for name in ("baba-baba", str(uuid4())):
        assert f"There is no referral {name}." in folder.run("erase", name, expect=2).stderr
    assert (
        "There is no file" in folder.run("erase", "--list", tmp_path / "nowhere", expect=2).stderr
    )
    (tmp_path / "wrong").write_text(f"{uuid4()} request\n\nreferral 12\n")
    assert (
        "with the id of a referral: 3."
        in folder.run("erase", "--list", tmp_path / "wrong", expect=2).stderr
    )


def test_the_list_of_another_host_is_applied_and_taken_over(
    folder: Folder, serving: Serving, token: str, tmp_path: Path
) -> None:
    first, second = [ranked(serving, token)[0] for _ in range(2)]
    folder.run("erase", first["id"])
    unknown = str(uuid4())
    (tmp_path / "list").write_text(
        "".join(f"{id_} request x\n" for id_ in (first["id"], second["id"], unknown))
    )

    said = folder.run("erase", "--list", tmp_path / "list")

    assert (
        said.stdout
        == "Of 3 on the list 1 was erased now; the others had been already, or are not here.\n"
    )
    assert serving.ask(f"/v1/referrals/{second['id']}", token=token)[0] == 410
    named = [line.split()[0] for line in (folder.path / "erasures").read_text().splitlines()]
    assert [named.count(id_) for id_ in (first["id"], second["id"], unknown)] == [1, 1, 1]


def test_a_backup_that_is_put_back_brings_nobody_back(demo: Copy) -> None:
    folder = demo()
    token = folder.token(*DESK)
    with folder.serving() as serving:
        referral, ranking = ranked(serving, token)
        serving.stop()
    postgres, copy = folder.path / "postgres", folder.path.with_name("backup")
    subprocess.run(["cp", "-a", postgres, copy], check=True)  # noqa: S607 - keeps the owner of each file
    folder.run("erase", referral["id"])

    shutil.rmtree(postgres)
    copy.rename(postgres)

    with folder.serving() as serving:
        assert serving.ask(f"/v1/referrals/{referral['id']}", token=token)[0] == 410
        assert (
            "Erased 1 referral again that a restored backup had brought back." in serving.stop()[2]
        )
    assert "again" not in folder.run("migrate").stderr
    folder.run("replay", ranking["id"], expect=1)
