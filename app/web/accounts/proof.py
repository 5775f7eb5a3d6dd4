"""A second factor typed in place, on a page that asks for it once more.

It stands alone because pages of several rooms ask for it.
"""

from functools import partial

from fastapi import Request

from app.accounts import sign_ins
from app.accounts.sign_ins import SIGNING
from app.api.kit.disclosure import own_transaction
from app.deps import Parts
from app.web.accounts.sign_in import visitor_of


async def is_code_wrong(request: Request, parts: Parts, *, code: str) -> bool:
    """Prove the second factor of the caller's session with a typed code; whether that failed.

    Without a code nothing is proved, and nothing is wrong.
    """
    if not code.strip():
        return False
    async with own_transaction(request) as tx:
        caller = tx.caller
    return not await sign_ins.prove_again(
        partial(parts.database.transaction, actor=SIGNING),
        caller,
        code,
        visitor=visitor_of(request, parts),
        allowance=parts.allowance,
    )
