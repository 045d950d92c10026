"""The Gemini dialect, generateContent: at AI Studio and on Vertex AI.

Pure translation; `adapter` is what the registry names.
"""
