"""Dues: what an organisation has to do by a moment, who has seen it, and when it rings."""
