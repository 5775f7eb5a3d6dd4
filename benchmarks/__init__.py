"""Benchmarks: Plek beside a bare application on the same server in the same run, and a replay of real arrivals."""
