"""Passwords: argon2id off the event loop, with the same work whether an account exists."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 200
"""The lengths of a password in characters."""
DIFFERENT = 6
"""The different characters needed beside the name; no more is asked (NIST SP 800-63B)."""
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
_KNOWN = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password-known")
_STRANGERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")


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


def fault_of(password: str, *, name: str) -> str | None:
    """Return the fault of a chosen password as a code, if it has one."""
    if not SHORTEST <= len(password) <= LONGEST:
        return "password_length"
    beside_the_name = password.casefold().replace(name.casefold().strip(), "")
    if len(set(beside_the_name)) < DIFFERENT:
        return "password_easy"
    return None


def _matches(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_urlsafe())
