"""The OpenAI Responses dialect, for models that are served in no other.

Pure translation; `adapter` is what the registry names.
"""
