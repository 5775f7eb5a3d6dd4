"""The ground of every room: transactions, snapshots, outbox, timers, answers."""
