"""What `plek ledger` does: exports, verification, witnesses, shares."""
