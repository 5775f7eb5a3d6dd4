"""The work of `plek serve`: its address, its door until it is ready, its processes."""
