"""The Cohere v2 chat dialect.

Pure translation; `adapter` is what the registry names.
"""
