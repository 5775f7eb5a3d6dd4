import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import OperatorError
from app.seal import KEY_FILE, DataKey, KeyFile, Keyring, SealBroken, new_key

KEYS = [base64.b64encode(bytes([number]) * 32).decode() for number in range(4)]
RINGS = st.lists(st.sampled_from(KEYS), min_size=1, unique=True)
"""Some keys, in any order."""


def test_what_was_sealed_for_a_row_is_opened_for_that_row_only() -> None:
    key = DataKey(bytes(32))
    sealed = key.seal(b"Voorbeeldstraat 1", row="a")
    assert key.unseal(sealed, row="a") == b"Voorbeeldstraat 1"
    assert b"Voorbeeld" not in sealed
    for other, row in ((key, "b"), (DataKey(b"\x01" * 32), "a")):
        with pytest.raises(SealBroken):
            other.unseal(sealed, row=row)


def test_no_bit_of_what_is_sealed_can_change_unnoticed() -> None:
    key = DataKey(bytes(32))
    sealed = key.seal(b"x", row="a")
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(SealBroken):
            key.unseal(bytes(changed), row="a")


def test_the_same_thing_is_never_sealed_the_same_way() -> None:
    key = DataKey(bytes(32))
    assert len({key.seal(b"x", row="a") for _ in range(100)}) == 100


def test_documents_come_back_as_they_were() -> None:
    key = DataKey(bytes(32))
    document = {"zones": [{"radius_km": 50}], "note": "é", "none": None}
    assert key.unseal_json(key.seal_json(document, row="a"), row="a") == document


def test_a_data_key_is_stored_wrapped_and_only_its_row_gets_it_back() -> None:
    ring = Keyring.parse(new_key())
    key, wrapped = ring.new_data_key(row="a")
    assert key.secret not in wrapped
    assert ring.unwrap(wrapped, row="a") == key
    for other, row in ((ring, "b"), (Keyring.parse(new_key()), "a")):
        with pytest.raises(SealBroken):
            other.unwrap(wrapped, row=row)


def test_a_new_key_in_front_leaves_what_the_old_one_wrapped_readable() -> None:
    old, new = new_key(), new_key()
    key, wrapped = Keyring.parse(old).new_data_key(row="a")
    rotated = Keyring.parse(f"{new},{old}")
    assert rotated.unwrap(wrapped, row="a") == key
    fresh, rewrapped = rotated.new_data_key(row="b")
    assert Keyring.parse(new).unwrap(rewrapped, row="b") == fresh
    assert rotated.name == Keyring.parse(old).name


def test_a_token_is_read_by_its_installation_in_its_scope_only() -> None:
    ring = Keyring.parse(new_key())
    token = ring.token(b"place", scope="/holds")
    assert ring.read_token(token, scope="/holds") == b"place"
    assert ring.token(b"place", scope="/holds") == token != ring.token(b"place", scope="/sites")
    assert ring.read_token(token, scope="/sites") is None
    assert Keyring.parse(new_key()).read_token(token, scope="/holds") is None


@pytest.mark.parametrize(
    "token", ["", "a", "=", "é", "\u0000", "A" * 1001, "not base64 at all!", "AAAA" * 8]
)
def test_what_is_no_token_says_nothing(token: str) -> None:
    assert Keyring.parse(new_key()).read_token(token, scope="/holds") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "x",
        "no / base64",
        base64.b64encode(bytes(31)).decode(),
        base64.b64encode(bytes(32)).decode() + ",AAAA",
        "é",
    ],
)
def test_a_key_that_is_none_stops_the_start_and_is_not_repeated(text: str) -> None:
    with pytest.raises(OperatorError, match="PLEK_KEY") as refused:
        Keyring.parse(text)
    assert len(text) < 3 or text not in str(refused.value)


def ring(*keys: str) -> Keyring:
    """Return a ring of these keys, the newest first."""
    return Keyring.parse(",".join(keys))


@given(RINGS, RINGS, st.text(), st.text())
def test_a_data_key_opens_with_every_ring_that_has_its_key_and_for_its_own_row_alone(
    made: list[str], read: list[str], row: str, other: str
) -> None:
    key, wrapped = ring(*made).new_data_key(row=row)
    if made[0] in read:
        assert ring(*read).unwrap(wrapped, row=row) == key
    else:
        with pytest.raises(SealBroken):
            ring(*read).unwrap(wrapped, row=row)
    if row != other:
        with pytest.raises(SealBroken):
            ring(*read).unwrap(wrapped, row=other)


@given(RINGS, RINGS)
def test_tokens_and_kept_answers_are_read_with_every_ring_that_has_their_key(
    made: list[str], read: list[str]
) -> None:
    token, answer = (
        ring(*made).token(b"place", scope="/holds"),
        ring(*made).answers.seal(b"answer", row="once"),
    )
    if made[0] in read:
        assert ring(*read).read_token(token, scope="/holds") == b"place"
        assert ring(*read).answers.unseal(answer, row="once") == b"answer"
    else:
        assert ring(*read).read_token(token, scope="/holds") is None
        with pytest.raises(SealBroken):
            ring(*read).answers.unseal(answer, row="once")


@given(RINGS, RINGS)
def test_wrapped_anew_it_is_the_same_key_and_opens_with_the_newest_alone(
    made: list[str], read: list[str]
) -> None:
    key, wrapped = ring(*made).new_data_key(row="a")
    if made[0] not in read:
        with pytest.raises(SealBroken):
            ring(*read).wrapping.reseal(wrapped, row="a")
        return
    again = ring(*read).wrapping.reseal(wrapped, row="a")
    assert (again is None) == (made[0] == read[0])
    assert ring(read[0]).unwrap(again or wrapped, row="a") == key
    assert ring(*read).wrapping.reseal(again or wrapped, row="a") is None


def test_what_one_purpose_sealed_no_other_opens() -> None:
    both = ring(KEYS[0])
    for one, other in ((both.wrapping, both.answers), (both.answers, both.wrapping)):
        with pytest.raises(SealBroken):
            other.unseal(one.seal(b"x", row="a"), row="a")


def test_a_key_given_twice_counts_once_and_blanks_around_it_not_at_all() -> None:
    assert Keyring.parse(f" {KEYS[0]},\n{KEYS[0]} ").older == 0
    assert Keyring.parse(f"{KEYS[0]},{KEYS[1]}\n").older == 1


def test_no_key_shows_where_it_is_shown_by_mistake() -> None:
    key, _ = ring(KEYS[0]).new_data_key(row="a")
    assert repr(key) == "DataKey()"


def test_the_installations_name_outlives_a_rotation() -> None:
    assert ring(KEYS[0]).name == ring(KEYS[1], KEYS[0]).name != ring(KEYS[1]).name


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file with one key in it."""
    path = tmp_path / KEY_FILE
    put(path, KEYS[0])
    return path


def put(path: Path, *keys: str) -> None:
    """Put keys in a file as a rotation does: another file under the same name."""
    draft = path.with_suffix(".new")
    draft.write_text(",".join(keys) + "\n")
    draft.replace(path)


def following(path: Path) -> Keyring:
    """Return the ring of a process that began with what the file holds now."""
    return Keyring.parse(path.read_text(), source=KeyFile(path).read_if_changed)


def test_a_ring_follows_its_file_where_nothing_else_opens(file: Path) -> None:
    serving = following(file)
    put(file, KEYS[1], KEYS[0])
    later = ring(KEYS[1])
    key, wrapped = later.new_data_key(row="a")
    assert serving.unwrap(wrapped, row="a") == key
    for one in (following(file), serving):
        assert one.read_token(later.token(b"place", scope="s"), scope="s") == b"place"
        assert one.answers.unseal(later.answers.seal(b"answer", row="a"), row="a") == b"answer"
    put(file, KEYS[2], KEYS[1], KEYS[0])
    assert serving.read_token(ring(KEYS[2]).token(b"place", scope="s"), scope="s") == b"place"


def test_a_token_or_an_answer_alone_makes_it_follow(file: Path) -> None:
    reading, repeating = following(file), following(file)
    put(file, KEYS[1], KEYS[0])
    assert reading.read_token(ring(KEYS[1]).token(b"place", scope="s"), scope="s") == b"place"
    assert repeating.answers.unseal(ring(KEYS[1]).answers.seal(b"x", row="a"), row="a") == b"x"


def test_what_is_sealed_after_the_file_has_changed_is_sealed_by_the_new_key(file: Path) -> None:
    wrapping, answering = following(file), following(file)
    put(file, KEYS[1], KEYS[0])
    _, wrapped = wrapping.new_data_key(row="a")
    assert ring(KEYS[1]).unwrap(wrapped, row="a")
    assert ring(KEYS[1]).answers.unseal(answering.answers.seal(b"x", row="a"), row="a") == b"x"


@pytest.mark.parametrize("content", [f"{KEYS[2]},{KEYS[1]}", KEYS[2], "", "no / base64", "é", None])
def test_a_file_without_the_rings_own_key_is_not_followed(file: Path, content: str | None) -> None:
    serving = following(file)
    key, wrapped = ring(KEYS[0]).new_data_key(row="a")
    file.unlink()
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(SealBroken):
        serving.unwrap(ring(KEYS[2]).new_data_key(row="a")[1], row="a")
    assert serving.unwrap(wrapped, row="a") == key
    assert ring(KEYS[0]).unwrap(serving.new_data_key(row="b")[1], row="b")


def test_a_file_is_read_once_each_time_that_it_changes(file: Path) -> None:
    news = KeyFile(file).read_if_changed
    assert news() == f"{KEYS[0]}\n"
    assert news() is None
    os.utime(file, ns=(0, 0))
    assert news() == f"{KEYS[0]}\n"
    put(file, KEYS[1], KEYS[0])
    assert news() == f"{KEYS[1]},{KEYS[0]}\n"
    assert news() is None
