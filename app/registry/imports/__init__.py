"""Import files of the register.

A file is stored as a whole, or every fault in it is told.
"""
