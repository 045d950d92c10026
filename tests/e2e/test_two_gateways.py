"""Two gateways of one data folder, on ports of their own: both are known as long as they run."""

from pathlib import Path

from tests.e2e.gateway import serving

OPTIONS = ("--sandbox", "--no-discover")


def test_a_second_gateway_says_so_and_the_first_is_reloaded_while_and_after_it_runs(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, *OPTIONS) as first:
        assert "another gateway" not in first.banner
        with serving(tmp_path, *OPTIONS) as second:
            note = f"process {first.process.pid} at {first.url}."
            assert f"another gateway runs from {tmp_path}" in second.banner
            assert note in second.banner
            asked = first.infway("health")
            assert asked.stdout == f"{first.url} is well.\n{second.url} is well.\n"
            told = first.infway("reload")
            assert told.stdout.count("was told to reload") == 2
            second.process.terminate()
            assert second.process.wait(60) == 0
        asked = first.infway("health")
        assert (asked.returncode, asked.stdout) == (0, f"{first.url} is well.\n")
        told = first.infway("reload")
        assert told.stdout.startswith(f"Process {first.process.pid} was told to reload")
