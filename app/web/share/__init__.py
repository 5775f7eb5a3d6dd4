"""Our share: what a region gave and took, why, and how its controller can check that without trusting anybody."""

from app.web.share import caps, decisions, figures, ledger, standing

ROUTERS = (standing.router, ledger.router, caps.router, decisions.router, figures.router)
