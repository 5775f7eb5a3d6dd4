"""A made-up country: sites, households and lives, by luck with a seed."""
