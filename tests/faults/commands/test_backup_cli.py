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


@dataclass
class Load:
    """Referrals registered as fast as two desks can, until the service is gone."""

    serving: Serving
    token: str
    done: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    """When each was acknowledged, and its id."""

    def register(self) -> None:
        while True:
            try:
                status, made = self.ask("/v1/referrals", "POST", WANTED)
            except OSError:
                return
            assert status == 201
            self.done.append((monotonic(), made["id"]))

    def ask(self, path: str, method: str = "GET", body: object = None) -> tuple[int, Any]:
        return self.serving.ask(path, token=self.token, method=method, body=body)


def test_what_was_acknowledged_before_a_backup_is_there_after_a_disaster(
    demo: Copy, tmp_path: Path
) -> None:
    folder, file = demo(), tmp_path / "plek.backup"
    token = folder.token(*DESK)
    with folder.serving() as serving:
        load = Load(serving, token)
        desks = [threading.Thread(target=load.register) for _ in range(2)]
        for desk in desks:
            desk.start()
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
        for desk in desks:
            desk.join()
    before = [id_ for at, id_ in load.done if at < begun]
    after = [id_ for at, id_ in load.done if at > ended + 1]
    assert len(before) >= 20
    assert len(load.done) > len(before)
    folder.run("erase", before[0])

    assert "sealed with another key" in restored(folder, file, 2, PLEK_KEY=new_key())
    assert "not empty" in folder.run("restore", file, expect=2).stderr
    told = restored(folder, file, 0)

    assert "Erased 1 referral again" in told
    assert "Everyone signs in again" in told
    assert "ok    backup      the last is 0.0 hours old" in folder.run("doctor").stdout
    with folder.serving() as serving:
        load.serving = serving
        assert load.ask(f"/v1/referrals/{before[0]}")[0] == 410
        for id_ in before[1:]:
            status, found = load.ask(f"/v1/referrals/{id_}")
            assert (status, found["household"]["adults"][0]["gender"]) == (200, "female")
        assert {load.ask(f"/v1/referrals/{id_}")[0] for id_ in after} <= {404}
        assert "plek_backup_age_seconds" in serving.ask("/metrics")[1]


def restored(folder: Folder, file: Path, expect: int, **more: str) -> str:
    done = folder.run("restore", file, "--replace", expect=expect, **more)
    return done.stdout + done.stderr
