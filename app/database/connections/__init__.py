"""Single connections to PostgreSQL: where to, for how long, and how one is opened."""
