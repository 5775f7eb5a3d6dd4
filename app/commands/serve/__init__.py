"""What `plek serve` does: its address, the answers until it is ready, its processes."""
