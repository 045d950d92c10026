"""Fuzzing: what reads bytes of strangers is given bytes that nobody would send.

    python -m tests.fuzz sse --seconds 120            # hunt; what fails is kept in the corpus
    python -m tests.fuzz sse --seconds 120 --keep     # and what leads to new places, too

The corpus of each target, in corpus/<target>/, is played by tests/fuzz/test_corpus.py.
"""
