"""Dialects: pure translation between infway's words and what a vendor sends and accepts.

No socket, no clock, no secret, no asyncio. Adapters do not know one another; the registry
names them. Bytes come in any cut and give the same events.
"""
