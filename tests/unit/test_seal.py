import base64

import pytest

from app.errors import OperatorError
from app.seal import DataKey, Keyring, SealBroken, new_key


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


@pytest.mark.parametrize("token", ["", "a", "=", "é", "\u0000", "A" * 1001, "not base64 at all!", "AAAA" * 8])
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
