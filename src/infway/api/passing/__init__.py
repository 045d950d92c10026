"""The endpoints of rerank, moderations, images, speech and transcription.

Bodies are looked into as far as routing needs it; everything else is passed on as it came.
"""
