"""`make bench`: what infway costs beside an nginx measured in the same run.

Starts a mock upstream, nginx and the gateway on loopback, drives them with wrk and a small client
of its own, writes `bench/results/latest.json`. A benchmark, never a test: it passes no verdict.
"""
