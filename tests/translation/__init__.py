"""Requests in OpenAI's words, said in those of every other dialect, and judged by strangers.

`python -m tests.translation CORPUS_DIR`: recorded requests against the vendors' own SDK types.
`python -m tests.translation.generated --cases 10000`: made-up conversations, told back by readers
(`back_*.py`) that share no code with the adapters.
"""
