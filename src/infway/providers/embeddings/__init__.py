"""The dialects of embeddings: a file each, and what they share.

Pure translation; `ways` says how vendors are asked.
"""
