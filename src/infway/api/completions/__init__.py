"""Text completions: the endpoint of callers that send a prompt and read plain text."""
