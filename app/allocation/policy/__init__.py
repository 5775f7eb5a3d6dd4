"""The numbers that a ranking goes by: their limits, their document, differences, trials."""
