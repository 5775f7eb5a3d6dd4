"""Plek's own PostgreSQL and Redis in a data folder: real servers, started on demand."""

from app.embedded.servers import EmbeddedServers, Endpoints, servers

__all__ = ["EmbeddedServers", "Endpoints", "servers"]
