"""Access to Plek and its record: accounts, signing in, sessions, the access log."""
