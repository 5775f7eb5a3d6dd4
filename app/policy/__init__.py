"""By which numbers places are found: policies, and trials of a draft."""
