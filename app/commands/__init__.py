"""What each command of `plek` does; app.cli says how they are called."""
