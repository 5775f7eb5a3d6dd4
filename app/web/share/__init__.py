"""Our share: what a region gave and took, why, and how its controller can check it."""

from app.web.share import caps, decisions, figures, ledger, region_share

ROUTERS = (region_share.router, ledger.router, caps.router, decisions.router, figures.router)
