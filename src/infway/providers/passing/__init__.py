"""Work that is neither a chat nor embeddings: rerank, moderations, images, speech, transcription.

Most of it is passed on as it came; `ways` says how vendors are asked. Pure.
"""
