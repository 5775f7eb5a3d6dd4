"""One function per act, inside the caller's transaction."""
