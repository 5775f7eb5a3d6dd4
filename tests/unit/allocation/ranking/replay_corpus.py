"""Rankings recorded for good, a file for each version of the rules.

Tests replay them, and so show that they still can.

`python -m tests.unit.allocation.ranking.replay_corpus` writes the file of the rules as they are. It
is run once for a version, on the day that the version begins, and refuses to write a file again:
what it would prove then is only that it was written. Everything in it is drawn from a seed, in a
country of six made-up towns.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from app.allocation.policy.documents import canonical_json, read
from app.allocation.policy.policy import Policy, parse_policy
from app.allocation.ranking.replay import inputs_document, inputs_of, register_bytes
from app.allocation.ranking.versions import NEWEST, Rules
from app.allocation.values import Register
from app.reference import policy_document
from tests.unit.allocation.cases import NOON, POLICY_DOCUMENT, draw_need, draw_place, draw_situation

FOLDER = Path(__file__).parent / "corpus"
SEED = 20260301
SIZES = (6, 12, 18, 24, 30, 40)
"""Groups of each register."""
EACH = 20
"""Rankings of each register under each policy."""


@dataclass(frozen=True)
class Recorded:
    """One ranking as it was recorded: canonical JSON, and what a replay has to give."""

    inputs: bytes
    register: Register
    register_content: bytes
    policy: Policy
    policy_document: dict[str, Any]
    digest: str


def replay(inputs: bytes, *, register: Register, policy: Policy, rules: Rules) -> str:
    """Return the digest of a ranking made again from its inputs, by the version it cites."""
    need, situation = inputs_of(json.loads(inputs))
    return rules.digest(rules.rank(need, register, situation, policy))


def path_of(version: str) -> Path:
    """Return where the corpus of a version is."""
    return FOLDER / f"rules-{version}.json.gz"


def recorded(version: str) -> list[Recorded]:
    """Return the recorded rankings of a version."""
    content = json.loads(gzip.decompress(path_of(version).read_bytes()))
    registers = [
        (read(Register, document), canonical_json(document)) for document in content["registers"]
    ]
    policies = [(parse_policy(document), document) for document in content["policies"]]
    return [
        Recorded(canonical_json(inputs), *registers[register], *policies[policy], digest=digest)
        for inputs, register, policy, digest in content["rankings"]
    ]


def drawn() -> dict[str, Any]:
    """Return a corpus of the rules as they are now."""
    random = Random(SEED)
    registers = [
        Register(tuple(draw_place(random, number) for number in range(size))) for size in SIZES
    ]
    country = policy_document()
    # The tests' policy states nothing that policies have come to say since the first.
    documents = [
        POLICY_DOCUMENT,
        country,
        country | {"version": "safety-only", "bands": ["safety"]},
    ]
    rankings: list[Any] = []
    for at, register in enumerate(registers):
        for which, document in enumerate(documents):
            policy = parse_policy(document)
            for _ in range(EACH):
                # Within a day of each other half of the time: then zones that end today or ended
                # yesterday matter.
                moment = NOON + timedelta(
                    minutes=random.randint(0, random.choice((1_440, 500_000)))
                )
                need, situation = draw_need(random), draw_situation(random, register)
                situation = replace(situation, as_of=moment, local_day=_day_near(random, moment))
                digest = NEWEST.digest(NEWEST.rank(need, register, situation, policy))
                rankings.append([inputs_document(need, situation), at, which, digest])
    return {
        "registers": [json.loads(register_bytes(register)) for register in registers],
        "policies": documents,
        "rankings": rankings,
    }


def _day_near(random: Random, moment: datetime) -> date:
    """Return the day before, of or after a moment's day in UTC.

    As clocks have it somewhere in the world.
    """
    return moment.date() + timedelta(days=random.choice((-1, 0, 0, 1)))


def write() -> Path:
    """Write the corpus of the rules as they are now; refuse where there is one."""
    content = json.dumps(drawn(), sort_keys=True, separators=(",", ":")).encode()
    path = path_of(NEWEST.version)
    with path.open("xb") as file:
        file.write(gzip.compress(content, mtime=0))
    return path


if __name__ == "__main__":
    print(write())  # noqa: T201 - for who runs it
