"""Benchmarks: Plek beside a bare application in the same run, and a replay."""
