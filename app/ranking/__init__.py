"""Which places fit a household, best first; plans for a peak; what came free."""
