"""Secrets that are planted in a failure, and a look at everything that is said of it."""

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[2]
REGION = "GM0193"

ADDRESS = "Wilgenkamer 4321 bis, 0000 ZZ Verzonnendorp"
TOKEN = "plek_Zx9geplantgeheimgeplantgeheimgeplant"
KEY = "Z2VwbGFudGUgc2xldXRlbCB2YW4gcHJlY2llcyAzMiBieXQ="
SECRETS = (ADDRESS, TOKEN, KEY)
"""An address, a token and a key that stand nowhere else."""
MARKS = ("Wilgenkamer", "geplant", "Z2VwbGFudG")
"""Parts of them, each enough to know that a part was quoted."""


REQUESTS = {
    "metrics": ("app.metrics._answer_counter", "GET /v1/sites"),
    "api": ("app.api.registry.sites.SiteOut.of", "GET /v1/sites/{site}"),
    "deps": ("app.deps.roles_for", "GET /v1/sites"),
    "registry": ("app.registry.sites._check", "POST /v1/sites"),
    "registry/store": ("app.registry.store.site_rows.insert", "POST /v1/sites"),
    "referrals": ("app.referrals.store.referral_rows.list_for", "GET /v1/referrals"),
    "ranking": ("app.ranking.store.situation.read", "POST /v1/referrals/{referral}/rankings"),
    "dues": ("app.dues.store.due_rows.list_live", "GET /v1/dues"),
    "budgets": ("app.budgets.store.budget_rows.wait_s", "POST /v1/referrals/{referral}/rankings"),
    "placing": ("app.placing.store.hold_rows.list_for", "GET /v1/holds"),
    "ledger": ("app.ledger.store.tree.newest_public", "GET /v1/ledger/checkpoint"),
    "policy": ("app.database.policies.list_policies", "GET /v1/policies"),
    "seal": ("app.seal.AESGCM", "POST /v1/sites"),
    "allocation": (
        "app.allocation.ranking.rank.points_for",
        "POST /v1/referrals/{referral}/rankings",
    ),
    "words": ("app.words.ranking.SAFETY", "POST /v1/referrals/{referral}/rankings"),
    "webhooks": ("app.webhooks.destinations.literal", "POST /v1/webhooks"),
    "events": ("app.events.bus.Stream", "GET /v1/events"),
    "web": ("app.web.start.state_of", "GET /"),
}
"""What fails in a layer, and the request that comes upon it."""

LOOPS = {
    "app.database.outbox.number": "relay",
    "app.events.bus.Bus.read": "read",
    "app.events.doorbell.Doorbell._positions": "doorbell",
    "app.placing.holds.sweep_holds": "timers",
    "app.bookkeeping.quarter_totals.seal_quarters": "timers",
    "app.database.deliveries.lease": "webhooks",
}
"""What fails beside the requests, and the worker's loop that comes upon it."""

COMMANDS = {
    "commands": (
        "app.accounts.accounts.issue_token",
        ("token", "--role", "auditor", "--region", REGION),
    ),
    "accounts": (
        "app.accounts.accounts._check",
        ("token", "--role", "auditor", "--region", REGION),
    ),
    "cli": ("app.commands.upkeep.report", ("migrate",)),
    "prepare": ("app.prepare.load_reference", ("migrate",)),
    "schema": ("app.schema.max", ("migrate",)),
    "config": ("app.config._whole", ("migrate",)),
    "reference": ("app.reference.TypeAdapter", ("worker",)),
    "worker": ("app.worker._on_stop", ("worker",)),
    "clock": ("app.clock.datetime", ("doctor",)),
    "embedded": ("app.embedded.servers.folder.check", ("migrate",)),
    "main": ("app.main.worker.work_during_block", ("serve", "--port", "0")),
    "simulation": ("app.simulation.ways.demo_world", ("simulate", "--days", "1")),
    "backup": ("app.backup.archive.open_archive", ("backup", "--check", "FILE")),
    "consistency": ("app.consistency.consistency.record_rows.list_wrong_claims", ("check",)),
    "charts": ("app.charts.bars.Canvas", ("simulate", "--days", "1")),
}
"""What fails in a layer, and the command that comes upon it."""

NOTHING_RUNS = {"models", "errors", "logs", "__init__", "__main__"}
"""Tables and names of refusals; and what tells of all others, which tests/unit/test_logs.py looks
at."""

FAIL_ELSEWHERE = {"demo", "desk", "health", "notices", "shares", "stderr"}
"""What only controllers, people who are signed in or servers of one's own come upon; what says how
it all is; and what everything is said on."""


class Spilt(Exception):
    """A failure with secrets in its message, arguments, notes and attributes."""

    def __init__(self, *secrets: object) -> None:
        super().__init__(*secrets)
        self.secrets = secrets
        for secret in secrets:
            self.add_note(f"DETAIL: Key (secret)=({secret}) already exists.")


def vain(*given: object) -> NoReturn:
    """Fail for a reason that another failure then has as its cause."""
    raise LookupError(*given)


class Spill:
    """Stands in for something, and fails with all it knows, however it is used."""

    def __call__(self, *given: object, **named: object) -> NoReturn:
        address, token, key = ADDRESS, TOKEN, KEY
        try:
            vain(address, given, named)
        except LookupError as cause:
            group = ExceptionGroup(f"of {address}", [Spilt(token), ValueError(key)])
            raise Spilt(address, token, key, group) from cause

    __getitem__ = get = now = __call__


def plant(target: str) -> tuple[Any, str]:
    """Return the object and the attribute of a dotted name, to be replaced by a Spill."""
    path, _, name = target.rpartition(".")
    try:
        return importlib.import_module(path), name
    except ModuleNotFoundError:
        holder, inner = plant(path)
        return getattr(holder, inner), name


@dataclass(frozen=True)
class Said:
    """All that was logged: one JSON document a line, or this fails."""

    text: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def exceptions(self) -> list[dict[str, Any]]:
        """Every exception that was told, its causes and parts beside it."""
        return [link for line in self.lines for link in line.get("exception", ())]

    def told(self, kind: str, *, through: str) -> bool:
        """Whether an exception of this kind was told, with a place in this part of the code."""
        return any(
            link["kind"].endswith(kind) and any(place.startswith(through) for place in link["at"])
            for link in self.exceptions
        )


def quoted(*texts: str) -> list[str]:
    """Return which secrets stand in what was said, whole or in part."""
    return [secret for secret in (*SECRETS, *MARKS) if any(secret in text for text in texts)]


def layer_of(target: str) -> str:
    """Return the layer that something planted stands in."""
    return target.split(".")[1]


def part(layer: str) -> str:
    """Return how the places of a layer begin in the log."""
    return f"app/{layer}/" if (ROOT / "app" / layer).is_dir() else f"app/{layer}.py"
