"""Bedrock's dialects: Converse for every model, InvokeModel for Claude.

Pure translation; `adapter` and `invoke` are what the registry names.
"""
