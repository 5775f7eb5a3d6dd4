"""The ledger for controllers: its leaves, checkpoints, witnesses, and counts."""
