"""The bare application that Plek is compared with.

FastAPI, uvicorn and asyncpg, and nothing besides.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

DATABASE_VARIABLE = "BARE_DATABASE_URL"
PORT_VARIABLE = "BARE_PORT"


class Wanted(BaseModel):
    """Which row to take, and for whom."""

    place: int
    taker: UUID


def create_app(database_url: str) -> FastAPI:
    """Return an application with two routes: one says hello, one writes."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with asyncpg.create_pool(database_url) as pool:
            app.state.pool = pool
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/hello")
    async def hello() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction] - FastAPI uses it
        return {"hello": "world"}

    @app.post("/write", status_code=201)
    async def write(wanted: Wanted) -> dict[str, str]:  # pyright: ignore[reportUnusedFunction] - as above
        made = uuid4()
        async with app.state.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "UPDATE places SET taker = $2, taken_at = now() WHERE id = $1 AND taker IS NULL",
                wanted.place,
                wanted.taker,
            )
            await connection.execute(
                "INSERT INTO takes (id, place, taker, at) VALUES ($1, $2, $3, now())",
                made,
                wanted.place,
                wanted.taker,
            )
        return {"id": str(made)}

    return app


TABLES = (
    "CREATE TABLE places (id integer PRIMARY KEY, taker uuid, taken_at timestamptz)",
    (
        "CREATE TABLE takes (id uuid PRIMARY KEY, place integer NOT NULL, taker uuid NOT NULL, "
        "at timestamptz NOT NULL)"
    ),
)


if __name__ == "__main__":
    uvicorn.run(
        create_app(os.environ[DATABASE_VARIABLE]),
        port=int(os.environ[PORT_VARIABLE]),
        access_log=False,
        log_config=None,
        server_header=False,
    )
