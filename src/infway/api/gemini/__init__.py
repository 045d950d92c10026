"""The Gemini API for clients: generateContent and what goes with it, over upstreams of any dialect.

A request becomes a chat (`reading`), its events become candidates (`reply`).
"""
