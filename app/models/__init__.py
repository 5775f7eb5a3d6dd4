"""The tables, and nothing but the tables; every query on them stands in app.store."""

from app.models.accounts import AccessLogEntry, AccessLogReferral, Account, Answer, InstallationKey, Token
from app.models.base import Base
from app.models.casework import (
    BlockerPeriod,
    Erasure,
    Hold,
    Placement,
    Ranking,
    ReadyPeriod,
    Referral,
    ReferralSecret,
    Shield,
    Stay,
)
from app.models.ledger import Leaf, Opening, Share
from app.models.operations import AvailabilityStep, Head, OutboxEntry, Timer
from app.models.reference import Clearance, Municipality, Policy, Region, Weight
from app.models.registry import (
    Claim,
    Place,
    PlaceGroup,
    PlaceSecret,
    Provider,
    ProviderRegion,
    RegisterRecord,
    Site,
    SiteSecret,
)
from app.models.swaps import MoveAgreement, Swap, SwapLeg, SwapSearch

__all__ = [
    "AccessLogEntry",
    "AccessLogReferral",
    "Account",
    "Answer",
    "AvailabilityStep",
    "Base",
    "BlockerPeriod",
    "Claim",
    "Clearance",
    "Erasure",
    "Head",
    "Hold",
    "InstallationKey",
    "Leaf",
    "MoveAgreement",
    "Municipality",
    "Opening",
    "OutboxEntry",
    "Place",
    "PlaceGroup",
    "PlaceSecret",
    "Placement",
    "Policy",
    "Provider",
    "ProviderRegion",
    "Ranking",
    "ReadyPeriod",
    "Referral",
    "ReferralSecret",
    "Region",
    "RegisterRecord",
    "Share",
    "Shield",
    "Site",
    "SiteSecret",
    "Stay",
    "Swap",
    "SwapLeg",
    "SwapSearch",
    "Timer",
    "Token",
    "Weight",
]
