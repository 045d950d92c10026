"""The words every room shares: requests, events, faults, errors, money, time, ids.

Standard library only, no I/O. Everything here may be imported by every other room,
and imports none of them.
"""
