"""The tables, and conditions on their rows that several stores share.

Every query on them stands in a room's store.
"""

from app.models.accounts import (
    AccessLogEntry,
    AccessLogReferral,
    Account,
    AccountAct,
    AccountChange,
    Answer,
    InstallationKey,
    Token,
)
from app.models.base import Base
from app.models.budgets import BudgetAlarm, BudgetRaise, BudgetUse
from app.models.casework import (
    Erasure,
    Hold,
    Placement,
    Ranking,
    Referral,
    ReferralSecret,
    Shield,
    Stay,
)
from app.models.credentials import Credential, Invitation, RecoveryCode, Session, Vouching
from app.models.departures import BlockerPeriod, ReadyPeriod
from app.models.ledger import Checkpoint, Leaf, Opening, Share, Subtree
from app.models.monitor import HouseholdCount, MonitorDay, MonitorRelease, MonitorStaleness
from app.models.notices import Mail
from app.models.operations import (
    AvailabilityStep,
    Discrepancy,
    Head,
    OutboxEntry,
    PeakPlan,
    Timer,
)
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
    SiteProposal,
    SiteSecret,
)
from app.models.shares import (
    Cap,
    Displacement,
    QuarterFigures,
    QuarterTotal,
    RunningStays,
)
from app.models.swaps import MoveAgreement, Swap, SwapLeg, SwapSearch
from app.models.waiting_list import Alternative, AmbulatoryCapacity, Contact, Reminder, Vacancy
from app.models.webhooks import Webhook, WebhookDelivery

__all__ = [
    "AccessLogEntry",
    "AccessLogReferral",
    "Account",
    "AccountAct",
    "AccountChange",
    "Alternative",
    "AmbulatoryCapacity",
    "Answer",
    "AvailabilityStep",
    "Base",
    "BlockerPeriod",
    "BudgetAlarm",
    "BudgetRaise",
    "BudgetUse",
    "Cap",
    "Checkpoint",
    "Claim",
    "Clearance",
    "Contact",
    "Credential",
    "Discrepancy",
    "Displacement",
    "Erasure",
    "Head",
    "Hold",
    "HouseholdCount",
    "InstallationKey",
    "Invitation",
    "Leaf",
    "Mail",
    "MonitorDay",
    "MonitorRelease",
    "MonitorStaleness",
    "MoveAgreement",
    "Municipality",
    "Opening",
    "OutboxEntry",
    "PeakPlan",
    "Place",
    "PlaceGroup",
    "PlaceSecret",
    "Placement",
    "Policy",
    "Provider",
    "ProviderRegion",
    "QuarterFigures",
    "QuarterTotal",
    "Ranking",
    "ReadyPeriod",
    "RecoveryCode",
    "Referral",
    "ReferralSecret",
    "Region",
    "RegisterRecord",
    "Reminder",
    "RunningStays",
    "Session",
    "Share",
    "Shield",
    "Site",
    "SiteProposal",
    "SiteSecret",
    "Stay",
    "Subtree",
    "Swap",
    "SwapLeg",
    "SwapSearch",
    "Timer",
    "Token",
    "Vacancy",
    "Vouching",
    "Webhook",
    "WebhookDelivery",
    "Weight",
]
