"""Fair shares between regions: nights by quarter, decisions, and the monitor."""
