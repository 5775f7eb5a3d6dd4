"""The intake desk: its caseload, and how far each of its referrals has come."""
