"""The work of each command of `plek`; app.cli says how they are called."""
