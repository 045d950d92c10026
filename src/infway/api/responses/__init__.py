"""OpenAI's Responses for clients: reading, replying, keeping; `endpoint` is what is served."""
