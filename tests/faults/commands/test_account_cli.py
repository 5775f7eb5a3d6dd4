"""`plek account`: invite the first administrator, and print only the link's end."""

import re
from collections.abc import Iterator

import pytest

from app.embedded import servers
from tests.faults.cli_folder import Folder
from tests.faults.conftest import Copy


@pytest.fixture(scope="module")
def folder(migrated: Copy) -> Iterator[Folder]:
    """An installation of its own, its servers kept running meanwhile."""
    made = migrated()
    with servers(made.path):
        yield made


def test_the_first_administrator_is_invited_and_what_does_not_fit_is_said_in_words(
    folder: Folder,
) -> None:
    done = folder.run("account", "chief@plek.example", "--role", "administrator")

    assert re.fullmatch(r"/invitation#[\w-]{43}", done.stdout.splitlines()[-1])
    assert "24 hours" in done.stderr
    assert "chief" not in done.stdout + done.stderr
    for words, says in (
        (
            ("chief@plek.example", "--role", "administrator"),
            "Somebody signs in by this name already",
        ),
        (("other", "--role", "auditor"), "--region"),
        (("other", "--role", "auditor", "--region", "GM9999"), "no such region"),
        (("other", "--role", "coordinator"), "--provider"),
        (("other", "--role", "coordinator", "--provider", "nowhere"), "no provider nowhere"),
        (("x", "--role", "administrator"), "3 to 200"),
    ):
        refused = folder.run("account", *words, expect=2)
        assert says in refused.stderr
        assert refused.stdout == ""
