"""The demo country in the database, and the people who sign in to it."""
