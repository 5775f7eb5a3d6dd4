"""My places: what a coordinator sees and does, on one board."""

from app.web.places import alternatives, approvals, board, file_import, places, sites, status, stays

ROUTERS = (
    board.router,
    status.router,
    places.router,
    sites.router,
    approvals.router,
    stays.router,
    alternatives.router,
    file_import.router,
)
