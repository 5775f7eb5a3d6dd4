"""Plek's own PostgreSQL and Redis in a data folder.

Real servers, started and stopped by whoever uses the folder.
"""

from app.embedded.servers import EmbeddedServers, Endpoints, servers

__all__ = ["EmbeddedServers", "Endpoints", "servers"]
