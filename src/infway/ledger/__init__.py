"""What was used: append-only rows, one for each attempt and one for each request.

SQLite by default. Nothing here runs on the request path: rows arrive in batches, in a thread.
"""
