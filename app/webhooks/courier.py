"""The courier of webhooks leases a few deliveries at once, so no receiver delays others."""

import asyncio
from typing import TYPE_CHECKING

import structlog

from app import metrics
from app.database import deliveries
from app.database.deliveries import FAILING, GONE, Leased
from app.database.transaction import WORKER, Database, Transaction
from app.seal import Keyring
from app.webhooks import post
from app.webhooks.post import NoAnswer, Post, WebhookTarget

if TYPE_CHECKING:
    from uuid import UUID

LOOK_S = 1.0
"""The pause between looks for what is due, in each process."""
AT_ONCE = 16
"""The deliveries that a process has under way at most."""
EACH = 4
"""The deliveries to one webhook among them."""
MINUTE_S, HOUR_S = 60.0, 3600.0
PAUSES_S = (
    5.0, 5 * MINUTE_S, 30 * MINUTE_S,
    2 * HOUR_S, 5 * HOUR_S, 10 * HOUR_S, 14 * HOUR_S, 20 * HOUR_S, 24 * HOUR_S
)  # fmt: skip
"""The wait after each failed attempt, as in Standard Webhooks; it ends after three days."""
TAKEN = range(200, 300)
GONE_STATUS = 410

log = structlog.get_logger()


class Courier:
    """Leases due deliveries and sends them, beside the other work of the process."""

    def __init__(self, database: Database, keyring: Keyring, post: Post) -> None:
        self._database = database
        self._keyring = keyring
        self._post = post
        self._under_way: dict[asyncio.Task[None], UUID] = {}

    async def turn(self) -> None:
        """Begin to send what is due, as far as there is room; else wait a moment."""
        if await self.begin():
            return
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(LOOK_S)

    async def begin(self) -> int:
        """Begin to send what is due; return how many deliveries were begun.

        A webhook with deliveries under way here gets no more until they have ended.
        """
        room = AT_ONCE - len(self._under_way)
        if not room:
            return 0
        async with self._database.transaction(actor=WORKER) as tx:
            leased = await deliveries.lease(
                tx, most=room, each=EACH, busy=set(self._under_way.values())
            )
        for one in leased:
            task = asyncio.create_task(self._deliver(one), name="webhook")
            self._under_way[task] = one.webhook_id
            task.add_done_callback(self._under_way.pop)
        return len(leased)

    async def finish(self) -> None:
        """Wait until all deliveries under way have ended."""
        await asyncio.gather(*self._under_way)

    async def close(self) -> None:
        """Cancel the deliveries under way; their leases run out, and they are sent again."""
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(self, leased: Leased) -> None:
        status = await self._send(leased)
        try:
            async with self._database.transaction(actor=WORKER) as tx:
                disabled = await _note(tx, leased, status=status)
        except Exception as error:
            # The lease runs out, and it is sent again.
            log.warning("delivery_not_noted", kind=type(error).__name__, exc_info=error)
            return
        metrics.delivery("delivered" if _was_received(status) else "failed")
        if disabled:
            metrics.webhook_disabled()
            log.warning("webhook_disabled", webhook=str(leased.webhook_id), because=disabled)

    async def _send(self, leased: Leased) -> int | None:
        """Send a delivery, and return the status of the answer; None if there was none."""
        try:
            target = WebhookTarget.unseal(
                leased.webhook_id, leased.key, leased.sealed, keyring=self._keyring
            )
            body = post.message_body(leased.kind, leased.subject, at=leased.happened_at)
            headers = post.signed_headers(
                target.secret, body, message_id=f"msg_{leased.id.hex}", at=leased.leased_at
            )
            return await self._post.send(target.url, headers=headers, body=body)
        except NoAnswer as reason:
            log.info("delivery_without_answer", webhook=str(leased.webhook_id), because=str(reason))
        except Exception as error:
            # A fault of ours, or a key missing here: another process may make the next attempt.
            log.exception("delivery_not_sent", kind=type(error).__name__)
        return None


async def _note(tx: Transaction, leased: Leased, *, status: int | None) -> str | None:
    """Store how a delivery went; return why its webhook is disabled by that, if it is."""
    if _was_received(status):
        await deliveries.note_received(tx, leased)
        return None
    again = PAUSES_S[leased.attempts - 1] if leased.attempts <= len(PAUSES_S) else None
    long = await deliveries.note_failed(tx, leased, again_in_seconds=again)
    because = GONE if status == GONE_STATUS else FAILING if long else None
    return (
        because
        if because and await deliveries.disable(tx, leased.webhook_id, because=because)
        else None
    )


def _was_received(status: int | None) -> bool:
    return status is not None and status in TAKEN
