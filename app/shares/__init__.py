"""Whether the burden is shared: nights by quarter, fair shares, decisions, the monitor."""
