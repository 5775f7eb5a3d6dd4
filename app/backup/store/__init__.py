"""What a backup reads of the database, and what a restore says to it."""
