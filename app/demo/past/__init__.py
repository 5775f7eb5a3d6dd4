"""The demo country's past: lived through, and written as the service would have."""
