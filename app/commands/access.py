"""`plek token` and `plek revoke`: bearer tokens of accounts, made and ended."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import typer

from app.accounts import accounts
from app.accounts.accounts import NewToken
from app.commands.installation import open_installation, say, settings_with
from app.config import program
from app.database.caller import Role


def issue(
    data_dir: Path | None,
    *,
    roles: Sequence[Role],
    provider: str | None,
    region: str | None,
    days: int,
    name: str | None = None,
) -> None:
    """Make an account and a token, which stands alone on the last line of stdout."""

    async def act() -> NewToken:
        async with installation.transaction() as tx:
            issued = await accounts.issue_token(
                tx,
                roles=roles,
                provider=provider,
                region=region,
                days=days,
                embedded=settings.embedded,
            )
            if name is not None:
                await accounts.give_name(tx, issued.account_id, name=name)
            return issued

    settings = settings_with(data_dir)
    with open_installation(settings) as installation:
        issued = asyncio.run(act())
    say(
        f"Token {issued.token_id}, valid until {issued.expires_at:%Y-%m-%d %H:%M} UTC. It is "
        "shown only now."
    )
    say(f"To end it: {program()} revoke {issued.token_id}")
    typer.echo(issued.token)


def revoke(data_dir: Path | None, *, token_id: str) -> None:
    """End a token at once."""

    async def act() -> None:
        async with installation.transaction() as tx:
            await accounts.revoke_token(tx, token_id)

    with open_installation(settings_with(data_dir)) as installation:
        asyncio.run(act())
    say(f"Token {token_id} is revoked.")
