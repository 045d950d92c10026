"""`python -m tests.counting CORPUS_DIR`: how near counted tokens come to those of vendors.

`--tiktoken` compares the vocabularies with tiktoken, text by text. It has to be installed then, and
TIKTOKEN_CACHE_DIR to name a folder with its vocabularies: `litellm_core_utils/tokenizers` in the
package of LiteLLM is one.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from statistics import median, quantiles

from tests.counting.measured import Measured, measure, texts

from infway.providers.counting.vocabularies import CL100K, O200K, tokens_of


def main() -> int:
    """Print the tables; 1 where more than 3 % of the counts that are called exact are not."""
    said = argparse.ArgumentParser(prog="python -m tests.counting", description=__doc__)
    said.add_argument("corpus", type=Path, help="a folder with _index.jsonl")
    said.add_argument("--tiktoken", action="store_true", help="compare with tiktoken as well")
    asked = said.parse_args()
    measured, why = measure(asked.corpus)
    _print_families(measured)
    print()
    for reason, count in why.most_common():
        print(f"not compared {count:4}  {reason}")
    wrong = _print_exact(measured)
    _print_speed(asked.corpus)
    if asked.tiktoken:
        _print_reference(asked.corpus)
    return 1 if wrong > 0.03 else 0


def _print_families(measured: Sequence[Measured]) -> None:
    print(
        f"{'family':18}{'kind':11}{'count':>6}{'median':>9}{'p10':>8}{'p90':>8}{'<=5%':>7}{'<=10%':>7}"
    )
    by = sorted(measured, key=lambda one: (one.family, one.kind))
    for (family, kind), group in groupby(by, key=lambda one: (one.family, one.kind)):
        _print_row(family, kind, [one.error for one in group])
    for kind in sorted({one.kind for one in measured}):
        _print_row("all", kind, [one.error for one in measured if one.kind == kind])


def _print_row(family: str, kind: str, errors: Sequence[float]) -> None:
    """`median`: of the errors without their signs."""
    cuts = quantiles(errors, n=10) if len(errors) > 1 else list(errors) * 9
    shares = [sum(abs(error) <= most for error in errors) / len(errors) for most in (0.05, 0.1)]
    middle = median(map(abs, errors))
    print(
        f"{family:18}{kind:11}{len(errors):6}{middle:9.1%}{cuts[0]:8.0%}{cuts[-1]:8.0%}"
        f"{shares[0]:7.0%}{shares[1]:7.0%}"
    )


def _print_exact(measured: Sequence[Measured]) -> float:
    """Print how many counts that are called exact are so; return the share that is not."""
    claims = [one for one in measured if one.counted.exact]
    wrong = [one for one in claims if one.counted.tokens != one.true]
    print(f"\nexact: {len(claims) - len(wrong)} of {len(claims)} that are called so")
    for one in wrong:
        print(f"  {one.name} {one.model}: counted {one.counted.tokens}, truly {one.true}")
    return len(wrong) / max(1, len(claims))


def _print_speed(corpus: Path) -> None:
    every = [text for text in texts(corpus) if len(text) < 100_000]
    size = sum(len(text.encode()) for text in every) / 1e6
    for vocabulary in (O200K, CL100K):
        tokens_of([""], vocabulary)
        began = time.process_time()
        tokens = tokens_of(every, vocabulary)
        took = time.process_time() - began
        print(
            f"{vocabulary}: {len(every)} texts, {size:.1f} MB, {tokens} tokens: {size / took:.0f} MB/s"
        )


def _print_reference(corpus: Path) -> None:
    import tiktoken

    every = sorted({text for text in texts(corpus) if len(text) < 100_000})
    for vocabulary in (O200K, CL100K):
        reference = tiktoken.get_encoding(vocabulary)
        same = sum(
            tokens_of([text], vocabulary) == len(reference.encode_ordinary(text)) for text in every
        )
        print(f"{vocabulary}: {same} of {len(every)} texts as tiktoken counts them")


if __name__ == "__main__":
    sys.exit(main())
