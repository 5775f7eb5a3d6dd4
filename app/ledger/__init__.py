"""What is recorded for controllers: leaves, checkpoints, witnesses, counts."""
