"""The numbers that a ranking goes by.

Their limits, their document, differences, trials.
"""
