"""The access log on the wire."""
