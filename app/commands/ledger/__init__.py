"""The work of `plek ledger`: exports, verification, witnesses, shares."""
