"""What every room stands on: transactions, snapshots, outbox, timers, answers."""
