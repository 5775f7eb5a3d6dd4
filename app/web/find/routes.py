"""All the routes of finding a place."""

from app.web.find import case, holds, referrals, waiting

ROUTERS = (referrals.router, case.router, holds.router, waiting.router)
