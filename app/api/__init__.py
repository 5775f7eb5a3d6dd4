"""JSON over HTTP, as the wire contract has it: a route parses, calls one act, and returns."""
