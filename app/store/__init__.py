"""Every query and every lock; nothing else speaks SQL."""
