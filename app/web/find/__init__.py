"""Find a place: one page from a referral to a hold, for an intake worker at any hour."""

from app.web.find import case, holds, referrals, waiting

ROUTERS = (referrals.router, case.router, holds.router, waiting.router)
