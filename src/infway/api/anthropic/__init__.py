"""The Messages API for Anthropic's clients, over any upstream.

https://platform.claude.com/docs/en/api/messages
"""
