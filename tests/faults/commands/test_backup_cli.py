"""A drill: load, a backup under it, `kill -9`, a restore, and a comparison."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from app.seal import new_key
from tests.faults.cli_folder import Folder, Serving
from tests.faults.conftest import Copy

DESK = ("--role", "intake_worker", "--provider", "opvang-nevelduin")
WANTED = {
    "urgency": "acute",
    "originMunicipality": "GM0518",
    "household": {"adults": [{"gender": "female"}]},
}

NOTE = "Belt morgen terug."


@dataclass
class Load:
    """Notes about a household, written as fast as two people can, until the service is gone."""

    serving: Serving
    token: str
    referral: str = ""
    done: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    """When each was acknowledged, and its id."""

    def write(self) -> None:
        while True:
            try:
                status, made = self.ask(self.notes, "POST", {"note": NOTE})
            except OSError:
                return
            assert status == 201
            self.done.append((monotonic(), made["id"]))

    @property
    def notes(self) -> str:
        return f"/v1/referrals/{self.referral}/contacts"

    def read(self) -> dict[str, str]:
        """Return every note that is there, by id."""
        found: dict[str, str] = {}
        cursor = ""
        while True:
            status, part = self.ask(f"{self.notes}?limit=200{cursor}")
            assert status == 200
            found |= {one["id"]: one["note"] for one in part["items"]}
            if part["nextCursor"] is None:
                return found
            cursor = f"&cursor={part['nextCursor']}"

    def ask(self, path: str, method: str = "GET", body: object = None) -> tuple[int, Any]:
        return self.serving.ask(path, token=self.token, method=method, body=body)


def test_what_was_acknowledged_before_a_backup_is_there_after_a_disaster(
    demo: Copy, tmp_path: Path
) -> None:
    folder, file = demo(), tmp_path / "plek.backup"
    token = folder.token(*DESK)
    with folder.serving() as serving:
        load = Load(serving, token)
        erased, load.referral = [
            load.ask("/v1/referrals", "POST", WANTED)[1]["id"] for _ in range(2)
        ]
        people = [threading.Thread(target=load.write) for _ in range(2)]
        for person in people:
            person.start()
        while len(load.done) < 20:
            sleep(0.01)
        begun = monotonic()
        said = folder.run("backup", file)
        ended = monotonic()
        assert "every row was counted" in said.stdout
        assert "The key is not in it" in said.stderr
        refused = folder.run("restore", file, "--replace", expect=2)
        assert "Plek runs on" in refused.stderr
        serving.process.kill()
        for person in people:
            person.join()
    before = {id_ for at, id_ in load.done if at < begun}
    after = {id_ for at, id_ in load.done if at > ended}
    assert len(before) >= 20
    assert after
    folder.run("erase", erased)

    assert "sealed with another key" in restored(folder, file, 2, PLEK_KEY=new_key())
    assert "not empty" in folder.run("restore", file, expect=2).stderr
    told = restored(folder, file, 0)

    assert "Erased 1 referral again" in told
    assert "Everyone signs in again" in told
    assert "ok    backup      the last is 0.0 hours old" in folder.run("doctor").stdout
    with folder.serving() as serving:
        load.serving = serving
        assert load.ask(f"/v1/referrals/{erased}")[0] == 410
        found = load.read()
        assert before <= found.keys() <= {id_ for _, id_ in load.done}
        assert not after & found.keys()
        assert set(found.values()) == {NOTE}
        assert "plek_backup_age_seconds" in serving.ask("/metrics")[1]


def restored(folder: Folder, file: Path, expect: int, **more: str) -> str:
    done = folder.run("restore", file, "--replace", expect=expect, **more)
    return done.stdout + done.stderr
