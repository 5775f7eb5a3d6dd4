"""The burden divided: nights, weights, fair shares, what may be disclosed."""
