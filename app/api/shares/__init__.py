"""Fair shares, caps, decisions and the monitor, on the wire."""
