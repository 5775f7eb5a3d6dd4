"""Who may come in, and what they looked at: accounts, sign-in, sessions, the access log."""
