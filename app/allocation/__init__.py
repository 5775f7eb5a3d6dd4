"""The decisions themselves, in values: no input or output, no clock, no luck."""
