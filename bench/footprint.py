"""What an installation brings along: distributions and bytes of a fresh environment."""

import subprocess
from importlib.metadata import distributions
from pathlib import Path

from bench.failure import UnmeasuredError
from bench.figures import Outcome
from bench.rig import ROOT, Rig


def footprint(rig: Rig) -> Outcome:
    """Installs the locked requirements and infway itself; needs a package index or uv's cache.

    The size is the sum of the files in site-packages, byte code included, as in an image.
    """
    environment = rig.folder / "installed"
    uv = str(rig.python.parent / "uv")
    python = str(environment / "bin" / "python")
    install = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--python",
        python,
        "--compile-bytecode",
    ]
    locked = str(ROOT / "requirements" / "run.txt")
    for argv in (
        [uv, "venv", "--quiet", "--python", str(rig.python), str(environment)],
        [*install, "--require-hashes", "-r", locked],
        [*install, "--no-deps", str(ROOT)],
    ):
        _run(argv)
    site = next(environment.glob("lib/python*/site-packages"))
    files = [file for file in site.rglob("*") if file.is_file()]
    return Outcome(
        {
            "packages": float(len(list(distributions(path=[str(site)])))),
            "size_mb": sum(file.stat().st_size for file in files) / 1e6,
        },
        (_largest(site, files),),
    )


def _run(argv: list[str]) -> None:
    ran = subprocess.run(argv, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise UnmeasuredError(f"`{' '.join(argv[1:4])}` failed: {ran.stderr[-600:].strip()}")


def _largest(site: Path, files: list[Path]) -> str:
    sizes: dict[str, float] = {}
    for file in files:
        top = file.relative_to(site).parts[0]
        sizes[top] = sizes.get(top, 0) + file.stat().st_size / 1e6
    ranked = sorted(sizes, key=lambda top: -sizes[top])[:5]
    return "largest parts: " + ", ".join(f"{top} {sizes[top]:.0f} MB" for top in ranked)
