"""Passwords with patterns that are easily guessed are refused, others are taken."""

import pytest

from app.accounts.passwords import fault_of

NAME, OURS = "j.jansen@linde.example", ("Stichting Lindehof",)


@pytest.mark.parametrize(
    "password",
    [
        "Welkom2026!!", "welkom-2026-!", "W3lk0m2026!!!", "Zomer2026!!!!", "2026Voorjaar!!", "Wachtwoord123!",
        "Amsterdam2026!", "'s-Gravenhage2026", "Lindehof2026!!", "Stichting2026!", "Jansen2026!!!", "J.Jansen-2026!",
        "Password2026!", "Sunshine2026!!", "Qwertyuiop123!", "123456789012", "aaaabbbbcccc", "welkomwelkom",
        "Caf\u00e92026!!!!!", "Opvang2026!!", "Lente2027!!!!", "abcdefghijklm", "!!!2026welkom2026!!!",
    ],
)  # fmt: skip
async def test_a_common_word_with_trimmings_is_easily_guessed(password: str) -> None:
    assert await fault_of(password, name=NAME, organisations=OURS) == "password_easy"


@pytest.mark.parametrize(
    "password",
    [
        "een lange dag bij de zee", "q7#fLz0!vB2m", "paarse fietsbel onder water", "Hoe laat gaat de bus naar Sneek?",
        "correct horse battery staple", "x" * 6 + "een huis vol groene olifanten" * 5, "\u00fcber-\u00e7a-\u017e\u00edv\u00e1-\u00f8l",
    ],
)  # fmt: skip
async def test_a_sentence_of_ones_own_is_taken(password: str) -> None:
    assert await fault_of(password, name=NAME, organisations=OURS) is None


async def test_what_does_not_belong_to_somebody_is_not_held_against_them() -> None:
    assert await fault_of("vlindertuinen2026", name=NAME, organisations=OURS) is None
    told = ("Vlindertuinen",)
    assert await fault_of("vlindertuinen2026", name=NAME, organisations=told) == "password_easy"
