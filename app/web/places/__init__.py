"""My places: what a coordinator sees and does, on one board."""

from app.web.places import (
    address,
    board,
    holds,
    importing,
    others,
    sites,
    status,
    stays,
    swaps,
    units,
)

ROUTERS = (
    board.router,
    holds.router,
    status.router,
    units.router,
    sites.router,
    address.router,
    stays.router,
    swaps.router,
    others.router,
    importing.router,
)
