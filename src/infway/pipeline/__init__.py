"""The line: the life of one request in order - admit, rank, attempt, relay, settle.

Knows no HTTP and no dialect. Every way out of it settles exactly once, without awaiting.
"""
