"""Recorded replies of vendors, sent through the whole line and compared with the recording.

`python -m tests.conformance CORPUS_DIR`: a replay upstream, the real gateway, the real OpenAI SDK,
and readers of every dialect (`truth_*.py`) that know nothing of the gateway's own code.
"""
