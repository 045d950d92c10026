"""The admin API: keys, projects, organisations and plans, and who may see or change them.

It has a port of its own and meets callers nowhere: another key, other endpoints.
"""
