"""The router: which offer should serve this request, and why.

Pure functions over numbers. No I/O, no clock of its own, no randomness of its own: time and
chance are passed in, so the same inputs and the same seed give the same order, bit for bit.
"""
