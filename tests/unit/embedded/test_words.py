"""What the embedded servers are told and what the operator is told."""

from pathlib import Path

from app.embedded import Endpoints, cluster, folder
from app.embedded.account import ServerAccount
from app.embedded.programs import complaint

_HOME = Path("/srv/plek")


def test_the_urls_with_their_passwords_do_not_show_in_a_log() -> None:
    assert "secret" not in repr(
        Endpoints(owner_url="secret", database_url="secret", redis_url="secret")
    )


def test_passwords_are_256_random_bits_each() -> None:
    drawn = [*folder.draw_secrets().values(), *folder.draw_secrets().values()]

    assert len(set(drawn)) == 6
    assert all(len(bytes.fromhex(word)) == 32 for word in drawn)


def test_a_full_disk_is_called_one_whatever_the_server_said() -> None:
    text = "LOG: starting\nPANIC: could not write to file: No space left on device\nHINT: none"

    assert str(complaint("PostgreSQL", text=text, folder=_HOME)).startswith(
        "The disk of /srv/plek is full."
    )


def test_the_lines_that_tell_are_passed_on_and_the_others_left_out() -> None:
    text = "LOG: starting\nFATAL: no such thing\nLOG: done"

    assert str(complaint("PostgreSQL", text=text, folder=_HOME)).endswith(
        "/srv/plek:\nFATAL: no such thing"
    )


def test_without_any_fatal_line_the_last_words_are_passed_on() -> None:
    assert str(complaint("Redis", text="one\ntwo", folder=_HOME)).endswith(":\none\ntwo")
    assert str(complaint("Redis", text="", folder=_HOME)) == "Redis did not start in /srv/plek."


def test_an_account_without_a_capability_runs_a_command_as_it_is() -> None:
    assert ServerAccount(uid=5, gid=6, switches=True).command("initdb", Path("/x")) == [
        "initdb",
        "/x",
    ]


def test_an_account_with_a_capability_gets_that_one_and_no_other() -> None:
    account = ServerAccount(uid=5, gid=6, switches=True, capability="dac_read_search")

    words = account.command("initdb")

    assert words[:4] == ["setpriv", "--reuid=5", "--regid=6", "--clear-groups"]
    assert {"--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"} < set(words)
    assert words[-2:] == ["--", "initdb"]
    assert not account.drops_by_python


def test_a_folder_with_quotes_and_commas_stays_one_folder_in_the_settings() -> None:
    assert cluster.quote(Path("/a, 'b' \"c\"")) == "'\"/a, ''b'' \"\"c\"\"\"'"
