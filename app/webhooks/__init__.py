"""Webhooks: the messages that Plek sends to its providers' own systems."""
