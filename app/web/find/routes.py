"""All the routes of finding a place."""

from app.web.find import case, holds, plans, referrals, waiting

ROUTERS = (plans.router, referrals.router, case.router, holds.router, waiting.router)
