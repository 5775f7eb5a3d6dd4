"""Passwords: argon2id off the event loop, with the same work whether an account exists."""

import asyncio
import re
import secrets
import unicodedata
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn
from zxcvbn.matching import RANKED_DICTIONARIES

from app.reference import common_words

SHORTEST, LONGEST = 12, 200
"""The lengths of a password in characters."""
DIFFERENT = 6
"""The different characters needed beside the name; no kind of character is asked for (NIST SP
800-63B)."""
LEAST_STRENGTH = 3
"""Of zxcvbn's 0 to 4: at least 10^8 guesses by a person who knows the usual patterns."""
JUDGED = 72
"""Characters that are judged; what comes after makes nothing weaker."""
DISGUISES = str.maketrans("013457@$!", "oieastasi")
"""Characters that stand for letters in words that are meant to look stronger."""
PASSES, MEMORY_KIB, LANES = 2, 19_456, 1
"""OWASP's Password Storage Cheat Sheet; after a change, the next sign-in hashes again."""

_HASHER = PasswordHasher(
    time_cost=PASSES,
    memory_cost=MEMORY_KIB,
    parallelism=LANES,
    hash_len=32,
    salt_len=16,
    type=Type.ID,
)
# Each has its own threads, so that strangers who try passwords keep nobody waiting who has signed
# in here before.
# One alone judges: zxcvbn keeps what is forbidden in a place that all of a process share.
_JUDGE = ThreadPoolExecutor(max_workers=1, thread_name_prefix="password-judge")
_KNOWN = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password-known")
_STRANGERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")


_ENGLISH = frozenset(word for ranked in RANKED_DICTIONARIES.values() for word in ranked)
"""The common words, names and passwords that zxcvbn brings."""


async def hash_password(password: str) -> str:
    """Return the hash of a password, as it is stored."""
    return await asyncio.get_running_loop().run_in_executor(_KNOWN, _HASHER.hash, password)


async def verify_password(stored: str | None, password: str, *, known_device: bool) -> bool:
    """Whether a password is the stored one; without a stored one, the answer takes as long."""
    threads = _KNOWN if known_device else _STRANGERS
    right = await asyncio.get_running_loop().run_in_executor(
        threads, _matches, stored or _nobodys(), password
    )
    return right and stored is not None


def is_outdated(stored: str) -> bool:
    """Whether a password was hashed with other parameters."""
    return _HASHER.check_needs_rehash(stored)


async def fault_of(password: str, *, name: str, organisations: Iterable[str]) -> str | None:
    """Return the fault of a chosen password as a code, if it has one.

    `name` is what its owner signs in by; with the names of organisations it is among the words that
    are guessed first.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        return "password_length"
    beside_the_name = password.casefold().replace(name.casefold().strip(), "")
    if len(set(beside_the_name)) < DIFFERENT:
        return "password_easy"
    guessed = (
        name,
        name.partition("@")[0],
        *_words(name),
        *(word for one in organisations for word in (one, *_words(one))),
    )
    loop = asyncio.get_running_loop()
    easy = await loop.run_in_executor(_JUDGE, _is_easy, password[:JUDGED], guessed)
    return "password_easy" if easy else None


def _is_easy(password: str, guessed: tuple[str, ...]) -> bool:
    """Whether a password is a common word with trimmings, or falls to few guesses."""
    words = dict.fromkeys(word.casefold() for word in (*guessed, *common_words()))
    if _bare(password) in {_bare(word) for word in words} | _ENGLISH:
        return True
    return zxcvbn(password, user_inputs=list(words), max_length=JUDGED)["score"] < LEAST_STRENGTH


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\W\d_]+", text) if word]


def _bare(text: str) -> str:
    """Return a password without what usually trims a word: years and signs around it, accents."""
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text.casefold())
    plain = unicodedata.normalize("NFD", core.translate(DISGUISES))
    return "".join(letter for letter in plain if letter.isalpha())


def _matches(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_urlsafe())
