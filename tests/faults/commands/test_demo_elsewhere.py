"""The demo country is Plek's own.

What was made for it opens nothing in a database that others run.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from app.embedded import servers
from app.web.credential import COOKIE
from tests.faults.cli_folder import Folder
from tests.faults.conftest import Copy

DESK = ("--role", "intake_worker", "--provider", "opvang-nevelduin")


@dataclass(frozen=True)
class Restored:
    """A demo, and an installation given the same database by two URLs, as after a restore."""

    demo: Folder
    elsewhere: Folder


@pytest.fixture(scope="module")
def restored(demo: Copy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restored]:
    """Keep the servers of a demo running, and name them to another installation."""
    shown = demo()
    with servers(shown.path) as endpoints:
        named = {
            "PLEK_OWNER_URL": endpoints.owner_url,
            "DATABASE_URL": endpoints.database_url,
            "REDIS_URL": endpoints.redis_url,
            "PLEK_KEY": (shown.path / "key").read_text(encoding="ascii").strip(),
        }
        yield Restored(shown, Folder(tmp_path_factory.mktemp("plek") / "var", named))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_tokens_of_the_demo_open_the_demo_and_nothing_else(
    restored: Restored, workers: str
) -> None:
    token = restored.demo.token(*DESK)

    with restored.demo.serving("--workers", workers) as serving:
        assert {serving.ask("/v1/regions", token=token)[0] for _ in range(6)} == {200}
    with restored.elsewhere.serving("--workers", workers) as serving:
        assert {serving.ask("/v1/regions", token=token)[0] for _ in range(6)} == {401}
        assert serving.ask("/health/ready")[0] == 200


def test_no_token_is_made_where_the_demo_is_in_somebody_elses_database(restored: Restored) -> None:
    refused = restored.elsewhere.run("token", *DESK, expect=2)

    assert refused.stdout == ""
    assert "demo country" in refused.stderr
    assert "DATABASE_URL" in refused.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_demos_people_sign_in_with_one_press_and_nowhere_else(
    restored: Restored, workers: str
) -> None:
    def pressed(port: int, role: str) -> tuple[int, str | None, int]:
        """Press a button of the start page.

        Return what came of it, and whether the next page opens.
        """
        base = f"http://127.0.0.1:{port}"
        ours = {"Origin": base, "Sec-Fetch-Site": "same-origin"}
        answer = httpx.post(f"{base}/demo-sign-in", data={"role": role}, headers=ours)
        cookie = answer.cookies.get(COOKIE)
        again = httpx.get(f"{base}/session", headers={"Cookie": f"{COOKIE}={cookie}"}).status_code
        cookies[role] = cookie or ""
        return answer.status_code, "given" if cookie else None, again

    cookies: dict[str, str] = {}
    with restored.demo.serving("--demo", "--workers", workers) as serving:
        assert 'name="role" value="auditor"' in httpx.get(f"http://127.0.0.1:{serving.port}/").text
        for role in ("intake_worker", "coordinator", "auditor", "administrator"):
            assert pressed(serving.port, role) == (303, "given", 200)
    theirs = dict(cookies)
    with restored.elsewhere.serving("--workers", workers) as serving:
        base = f"http://127.0.0.1:{serving.port}"
        assert "demo-sign-in" not in httpx.get(f"{base}/").text
        assert pressed(serving.port, "administrator") == (404, None, 303)
        for cookie in theirs.values():
            assert (
                httpx.get(f"{base}/session", headers={"Cookie": f"{COOKIE}={cookie}"}).status_code
                == 303
            )
