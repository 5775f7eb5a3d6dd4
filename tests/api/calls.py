"""One thing of each kind, and a valid request for every route of the API."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.api.kit.problems import PROBLEM_JSON
from app.reference import policy_document
from tests.country import (
    FAR,
    THERE,
    Client,
    Country,
    hold_first,
    place_body,
    referral_body,
    shelter,
    site_body,
)
from tests.ledger_stays import local_today

WORKING = ("intake_worker", "coordinator", "client_system")
"""The roles of a provider."""

WITH_BODY = (
    ("POST", "/policies"),
    ("POST", "/sites"),
    ("PATCH", "/sites/{id}"),
    ("POST", "/sites/{id}/approval"),
    ("POST", "/site-approvals"),
    ("PUT", "/providers/{id}/regions"),
    ("POST", "/sites/{id}/address-reveals"),
    ("POST", "/places"),
    ("PATCH", "/places/{id}"),
    ("POST", "/referrals"),
    ("PATCH", "/referrals/{id}"),
    ("PUT", "/referrals/{id}/shield"),
    ("POST", "/break-glass-looks"),
    ("POST", "/budget-raises"),
    ("POST", "/referrals/{id}/withdrawal"),
    ("POST", "/vouchings"),
    ("POST", "/review-findings/{id}/answer"),
    ("POST", "/referrals/{id}/contacts"),
    ("POST", "/referrals/{id}/alternatives"),
    ("POST", "/alternatives/{id}/checks"),
    ("POST", "/alternatives/{id}/ending"),
    ("PUT", "/ambulatory-capacity"),
    ("POST", "/referrals/{id}/rankings"),
    ("POST", "/peak-plans"),
    ("POST", "/holds"),
    ("POST", "/holds/{id}/release"),
    ("POST", "/holds/{id}/acceptance"),
    ("POST", "/holds/{id}/decline"),
    ("POST", "/holds/{id}/danger-looks"),
    ("POST", "/placements"),
    ("PATCH", "/placements/{id}"),
    ("POST", "/placements/{id}/no-show"),
    ("POST", "/placements/{id}/departure"),
    ("POST", "/placements/{id}/corrections"),
    ("POST", "/placements/{id}/address-reveals"),
    ("POST", "/webhooks"),
    ("POST", "/caps"),
    ("POST", "/swap-searches"),
    ("POST", "/swaps"),
    ("POST", "/swaps/{id}/consents"),
    ("POST", "/swaps/{id}/refusal"),
)
BY_QUARTER = (
    "/fair-shares",
    "/fair-share-pairs",
    "/fair-share-figures",
    "/settlements",
    "/monitor",
    "/own-region-checks",
)
QUARTER = {"from": "2026-Q1", "to": "2026-Q1"}
MAY_BE_NOTHING = ("/referrals/{id}/rankings", "/peak-plans", "/placements/{id}/no-show")
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class World:
    """A household on its way from haven to linde, and one of third's that may swap there.

    `ids` has the id of one thing for each `/{collection}/{id}`.
    """

    country: Country
    receiver: Client
    sender: Client
    ids: Mapping[str, str]
    offer_id: str
    administrator: Client | None = None
    auditor: Client | None = None

    def path(self, template: str, *, id_: str | None = None) -> str:
        """Fill in an id: that of the thing that there is, or another."""
        collection = template.split("/")[1]
        return template.replace("{id}", id_ if id_ is not None else self.ids.get(collection, ""))

    def alternative(self) -> dict[str, Any]:
        """Return the body of an alternative for which linde answers."""
        return {"kind": "hotel", "responsibleProviderId": str(self.country.providers["linde"])}

    def wish(self) -> dict[str, Any]:
        """Return the body of a hold."""
        return {
            "referralId": self.ids["referrals"],
            "rankingId": self.ids["rankings"],
            "offerId": self.offer_id,
        }

    def body(self, method: str, template: str) -> Any:
        """Return a body that the call takes; None where it takes none."""
        bodies: dict[tuple[str, str], Any] = {
            ("POST", "/policies"): policy_document()
            | {"version": "next", "valid_from": "2099-01-01"},
            ("POST", "/sites"): site_body(),
            ("PATCH", "/sites/{id}"): {"name": "Eik"},
            ("POST", "/sites/{id}/approval"): {"approve": True},
            ("POST", "/site-approvals"): {"approve": True, "ids": [self.ids["sites"]]},
            ("PUT", "/providers/{id}/regions"): {"regions": [THERE]},
            ("POST", "/holds/{id}/danger-looks"): {"reason": "network"},
            ("POST", "/sites/{id}/address-reveals"): {"purpose": "other"},
            ("POST", "/places"): place_body(self.ids["sites"]),
            ("PATCH", "/places/{id}"): {"label": "9Z"},
            ("POST", "/referrals"): referral_body(),
            ("PATCH", "/referrals/{id}"): {"urgency": "urgent"},
            ("PUT", "/referrals/{id}/shield"): {"colleagues": []},
            ("POST", "/break-glass-looks"): {"reference": "baku-limo", "reason": "handover"},
            ("POST", "/budget-raises"): {"reason": "busy_shift"},
            ("POST", "/referrals/{id}/withdrawal"): {"reason": "stayed_home"},
            ("POST", "/vouchings"): {"account": self.ids.get("account-changes", "")},
            ("POST", "/review-findings/{id}/answer"): {"answer": "work"},
            ("POST", "/referrals/{id}/contacts"): {"note": "Belt morgen.", "kind": "client"},
            ("POST", "/referrals/{id}/alternatives"): self.alternative(),
            ("POST", "/alternatives/{id}/checks"): {"outcome": "well"},
            ("POST", "/alternatives/{id}/ending"): {"reason": "left"},
            ("PUT", "/ambulatory-capacity"): {"capacity": 3},
            ("POST", "/referrals/{id}/rankings"): {"limit": 5},
            ("POST", "/peak-plans"): {},
            ("POST", "/holds"): self.wish(),
            ("POST", "/holds/{id}/release"): {"reason": "mistake"},
            ("POST", "/holds/{id}/acceptance"): {"by": "person"},
            ("POST", "/holds/{id}/decline"): {"reason": "staffing"},
            ("POST", "/placements"): {"holdId": self.ids["holds"]},
            ("PATCH", "/placements/{id}"): {"expectedDeparture": "2027-03-01"},
            ("POST", "/placements/{id}/no-show"): {"safetyChecked": False},
            ("POST", "/placements/{id}/departure"): {"destination": "own_home"},
            ("POST", "/placements/{id}/corrections"): {"code": "not_arrived"},
            ("POST", "/placements/{id}/address-reveals"): {"purpose": "transport"},
            ("POST", "/webhooks"): {"url": "https://hooks.example/plek", "kinds": ["swap"]},
            ("POST", "/swap-searches"): {"referralId": self.ids["referrals"]},
            ("POST", "/swaps"): {"searchId": self.ids["rankings"], "rank": 1},
            ("POST", "/swaps/{id}/consents"): {"legId": self.ids["rankings"], "as": "receiving"},
            ("POST", "/swaps/{id}/refusal"): {"reason": "staffing"},
        }
        return (bodies | {("POST", "/caps"): cap_body()}).get((method, template))

    def request(self, method: str, template: str, *, id_: str | None = None) -> dict[str, Any]:
        """Return what a client sends for a call.

        An event stream is made to end at once.
        """
        headers: dict[str, str] = {}
        if method == "POST":
            headers["Idempotency-Key"] = secrets.token_hex(8)
        if (method, template) == ("PATCH", "/referrals/{id}"):
            headers["If-Match"] = "*"
        if template == "/events":
            headers["Last-Event-ID"] = "nowhere"
        asked = {
            "/rankings/{id}/obstacles": {"region": THERE},
            "/policies/{id}/differences": {"to": self.ids["policies"]},
            **dict.fromkeys(BY_QUARTER, QUARTER),
            "/ledger/inclusion-proofs": {"leaf": 0, "size": 1},
            "/ledger/consistency-proofs": {"from": 0, "to": 0},
        }
        return {
            "method": method,
            "url": self.path(template, id_=id_),
            "params": asked.get(template, {}),
            "headers": headers,
            "json": self.body(method, template),
        }


async def world(country: Country) -> World:
    """Make one thing of each kind."""
    there = await shelter(country, "linde", places=3)
    receiver = await country.client(*WORKING, provider="linde")
    sender = await country.client(*WORKING, provider="haven")
    referral = await sender.post("/referrals", referral_body())
    used = {"kind": "hotel", "responsibleProviderId": str(country.providers["linde"])}
    alternative = await sender.post(f"/referrals/{referral['id']}/alternatives", used)
    ranking = await sender.post(f"/referrals/{referral['id']}/rankings")
    hold = await hold_first(sender, referral_id=referral["id"])
    await receiver.post(f"/holds/{hold['id']}/acceptance", {"by": "person"}, expect=200)
    placement = await sender.post("/placements", {"holdId": hold["id"]}, key=secrets.token_hex(8))
    administrator = await country.client("administrator")
    webhook = await receiver.post(
        "/webhooks", {"url": "https://hooks.example/plek", "kinds": ["swap"]}
    )
    await country.rows(AGREED, id=placement["id"])
    third = await country.client("intake_worker", provider="third")
    waiting = await third.post("/referrals", referral_body())
    auditor = await country.client("auditor", region=FAR)
    ids = {
        "caps": (
            await auditor.post("/caps", {"atMost": 1000, "reason": "other", "until": next_month()})
        )["id"],
        "providers": str(country.providers["linde"]),
        "sites": there.site_id,
        "places": there.place_ids[-1],
        "referrals": referral["id"],
        "alternatives": alternative["id"],
        "rankings": ranking["id"],
        "holds": hold["id"],
        "placements": placement["id"],
        "decisions": placement["id"],
        "policies": ranking["policy"]["version"],
        "peak-plans": (await administrator.post("/peak-plans"))["id"],
        "webhooks": webhook["id"],
        "swaps": await swap_for(country, waiting["id"], place_id=there.place_ids[-1]),
        "waiting": waiting["id"],
        "vouchings": await country.value(
            VOUCHING, linde=country.providers["linde"], haven=country.providers["haven"]
        ),
        "account-changes": await country.value(
            CHANGE, linde=country.providers["linde"], haven=country.providers["haven"]
        ),
        "review-findings": await finding_for(country, "linde"),
        "dues": (await receiver.get("/dues"))["items"][0]["id"],
    }
    offer_id = ranking["offers"][0]["offerId"]
    controller = await country.client("auditor", region=THERE)
    return World(
        country, receiver, sender, ids, offer_id, await country.client("administrator"), controller
    )


AGREED = """
INSERT INTO move_agreements (placement_id, referral_id, provider_id, receiver_id, lapses_at)
SELECT id, referral_id, provider_id, receiver_id, clock_timestamp() + interval '1 day' FROM
placements WHERE id = :id
"""
CHANGE = """
INSERT INTO account_changes (id, account_id, provider_id, act, effective_at)
SELECT gen_random_uuid(), a.id, :linde, 'enable', clock_timestamp() + interval '1 day'
FROM accounts AS a WHERE a.provider_id = :haven LIMIT 1
RETURNING id::text
"""
VOUCHING = """
INSERT INTO vouchings (id, account_id, provider_id, vouched_by, code_hash, code_until, ends_at)
SELECT gen_random_uuid(), a.id, :linde, b.id, 'x', clock_timestamp(), clock_timestamp()
FROM accounts AS a, accounts AS b WHERE a.provider_id = :haven AND b.provider_id = :linde LIMIT 1
RETURNING id::text
"""
SWAP = """
WITH swap AS (
  INSERT INTO swaps (id, provider_id, moves, children, expires_at)
  SELECT gen_random_uuid(), provider_id, 2, 0, clock_timestamp() + interval '1 hour' FROM
  referrals WHERE id = :referral
  RETURNING id, provider_id
), leg AS (
  INSERT INTO swap_legs (id, swap_id, turn, referral_id, provider_id, place_id, site_id, kind,
  receiving_id)
  SELECT gen_random_uuid(), swap.id, 1, :referral, swap.provider_id, p.id, p.site_id, 'crisis',
  p.provider_id
  FROM swap, places AS p WHERE p.id = :place
)
SELECT id::text FROM swap
"""


FOUND = """
WITH week AS (INSERT INTO review_weeks (first_day, accounts) VALUES ('2026-03-02', 9)
              RETURNING first_day)
INSERT INTO review_findings (id, week, account_id, provider_id, points, facts)
SELECT gen_random_uuid(), first_day, gen_random_uuid(), :provider, 300,
       '[{"signal": "rankings", "count": 30, "usual": 0}]' FROM week
RETURNING CAST(id AS text) AS id
"""


async def finding_for(country: Country, slug: str) -> str:
    """Make a finding of the weekly review, of an account at a provider."""
    id_: str = await country.value(FOUND, provider=await country.provider(slug))
    return id_


async def swap_for(country: Country, referral_id: str, *, place_id: str) -> str:
    """Propose a swap with a household in its first leg.

    Its other legs concern nobody here.
    """
    id_: str = await country.value(SWAP, referral=referral_id, place=place_id)
    return id_


def next_month() -> str:
    """Return a day on which a cap that begins today may end."""
    return (local_today() + timedelta(days=30)).isoformat()


def cap_body() -> dict[str, Any]:
    """Return the body of a cap that begins today."""
    return {"atMost": 3, "reason": "staffing", "until": next_month()}


async def counts(country: Country) -> dict[str, int]:
    """Return how many rows each table has that a request might write to."""
    tables = await country.rows(
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    )
    wanted = " UNION ALL ".join(
        f"SELECT '{table.name}' AS name, count(*) AS rows FROM {table.name}"  # noqa: S608 - names from the catalogue
        for table in tables
    )
    return {row.name: row.rows for row in await country.rows(wanted)}


async def answer_to(
    there: World, call: tuple[str, str], content: bytes, *, headers: dict[str, str] | None = None
) -> Any:
    """Make a call with these very bytes."""
    request = there.request(*call)
    del request["json"]
    client = (
        there.sender
        if call[1].startswith(("/referrals", "/holds")) or call == ("POST", "/placements")
        else None
    )
    if call in {("POST", "/policies"), ("PUT", "/providers/{id}/regions")}:
        client = there.administrator
    if call == ("POST", "/caps"):
        client = there.auditor
    sent = request["headers"] | (JSON if headers is None else headers)
    return await (client or there.receiver).http.request(
        **request | {"headers": sent}, content=content
    )


def faults(answer: Any) -> dict[str, str]:
    """Return the faults that a problem names."""
    assert answer.status_code == 400, f"{answer.status_code}: {answer.text}"
    assert answer.headers["Content-Type"] == PROBLEM_JSON
    return {fault["pointer"]: fault["message"] for fault in answer.json()["errors"]}
