"""The OpenAI chat dialect, which most vendors speak, and their departures from it.

Pure translation; `adapter` is what the registry names.
"""
