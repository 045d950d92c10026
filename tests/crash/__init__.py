"""`python -m tests.crash [--cycles N] [--store sqlite|postgres]`: kill -9 under load, figure N1.

A gateway with two workers is killed again and again, one worker or all of it, while many callers
ask. At the end what the upstream sent, what the callers read and what the ledger holds are laid
side by side: every attempt that reached the upstream has one row, every request its sum.
"""
