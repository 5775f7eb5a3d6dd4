"""The doorbell between processes, over Redis: the newest position of the outbox.

Nothing depends on it: every process also looks by itself twice a second.
"""

# pyright: reportUnknownMemberType=none, reportUnknownVariableType=none
# (redis leaves its keyword arguments and its messages without types.)

import asyncio
from collections.abc import AsyncGenerator, Callable

from app.events.link import GONE, WAIT_S, Link, whole

QUIET_S = 10
"""The longest silence before this process checks that the line still works."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0


class Doorbell:
    """Rings in every process of the installation, this one included."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._channel = f"{link.prefix}:outbox"

    async def ring(self, position: int) -> None:
        """Tell every process the newest position of the outbox."""
        await self._link.ask(lambda: self._link.redis.publish(self._channel, position))

    async def answer(self, rung: Callable[[int], None]) -> None:
        """Call `rung` with each position heard, for ever.

        Reconnect when Redis was gone.
        """
        pause = FIRST_PAUSE_S
        while True:
            try:
                async for position in self._positions():
                    pause = FIRST_PAUSE_S
                    if position is not None:
                        rung(position)
            except GONE as error:
                self._link.note_loss(error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _positions(self) -> AsyncGenerator[int | None]:
        """Yield positions, and None each time the line proves to work."""
        async with self._link.redis.pubsub() as line:
            await whole(line.subscribe(self._channel))
            asked = False
            while True:
                message = await line.get_message(timeout=WAIT_S if asked else QUIET_S)
                if message is None:
                    if asked:
                        raise TimeoutError  # nothing comes back on this line any more
                    await line.ping()
                    asked = True
                    continue
                asked = False
                self._link.note_answer()
                said = message["data"]
                yield int(said) if isinstance(said, bytes) and said.isdigit() else None
