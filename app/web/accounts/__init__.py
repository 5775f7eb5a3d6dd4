"""Pages of signing in, of accounts and of administration."""

from app.web.accounts import (
    accounts,
    administration,
    budgets,
    colleagues,
    invitation,
    own_credential,
    reviews,
    session,
    sign_in,
    vouched,
)

ROUTERS = (
    sign_in.router,
    session.router,
    own_credential.router,
    invitation.router,
    accounts.router,
    administration.router,
    reviews.router,
    budgets.router,
    colleagues.router,
    vouched.router,
)
