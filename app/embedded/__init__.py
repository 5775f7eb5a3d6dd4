"""Plek's own PostgreSQL and Redis in a data folder: real servers, started on demand."""

from app.embedded.servers import EmbeddedServers, Endpoints, dead_servers, servers

__all__ = ["EmbeddedServers", "Endpoints", "dead_servers", "servers"]
