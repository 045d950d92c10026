"""Figures of reliability, measured on a real gateway over real sockets.

    python -m tests.wall.figures dead --requests 100000    # N2: one of three upstreams is dead
    python -m tests.wall.figures brownout                  # N3: one of three is ten times slower
    python -m tests.wall.figures outage                    # N4: all fail, then come back

Each prints what it found and ends with 1 where its goal is missed. tests/wall/test_figures.py runs
the short forms.
"""
