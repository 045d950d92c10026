"""Run samples one after the other, each as a program of its own, and tell what they printed.

`python run_samples.py FILE...`; JSON on standard output: file name to printed text.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

printed = {}
for path in map(Path, sys.argv[1:]):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(path.read_text(), path.name, "exec"), {"__name__": "__main__"})
    printed[path.stem] = said.getvalue()
json.dump(printed, sys.stdout)
