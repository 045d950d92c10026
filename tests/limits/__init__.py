"""Limits over several replica processes, against an exact count of what they let in."""
