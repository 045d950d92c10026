"""Ollama's own chat dialect.

Pure translation; `adapter` is what the registry names.
"""
