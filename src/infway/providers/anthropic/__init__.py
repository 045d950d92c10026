"""The Anthropic Messages dialect: at Anthropic, on Azure, on Vertex AI, and inside Bedrock's framing.

Pure translation; `adapter` is what the registry names.
"""
