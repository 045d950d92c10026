"""Keys with limits against the installed command: what the clients' own SDKs see."""

import pytest
from tests.e2e.conftest import TAGS, python, write_config
from tests.e2e.gateway import CLIENTS, OTHER_PYTHON, reported, serving

PLAN = {"requests_per_minute": 1, "tokens_per_minute": 1000}
# Each client has a key of its own, and so a minute of its own
KEYS = {client: f"sk-e2e-limited-{client}" for client in (*TAGS, "infuzu")}
_MODEL = {"id": "teller-seeds", "native": "teller-seeds", "quality": 60}


@pytest.fixture(scope="module")
def limited(upstream, tmp_path_factory):
    """A gateway each of whose keys may ask once a minute."""
    folder = tmp_path_factory.mktemp("limited")
    keys = [{"name": name, "key": key, "plan": "small"} for name, key in KEYS.items()]
    row = {
        "name": "seeds",
        "vendor": "custom",
        "base_url": upstream.url,
        "key": {"file": "upstream-key"},
        "models": [{**_MODEL, "input_price": 1, "output_price": 2}],
    }
    more = {"keys": keys, "plans": {"small": PLAN}, "upstreams": [row]}
    with serving(folder, "-c", write_config(folder, upstream.url, **more)) as running:
        yield running
        assert running.stop() == 0


@pytest.mark.parametrize("tag", TAGS)
def test_openais_sdk_raises_its_rate_limit_error_with_the_headers(limited, tag):
    report = reported(python(tag), CLIENTS / "limited_openai.py", limited.url, KEYS[tag])
    headers, refused = report["headers"], report["refused"]
    assert headers["x-ratelimit-limit-requests"] == "1"
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert int(headers["x-ratelimit-remaining-tokens"]) > 900
    assert refused["class"] == "RateLimitError"
    assert (refused["code"], refused["type"]) == ("rate_limit_exceeded", "rate_limit_error")
    assert 1 <= int(refused["headers"]["retry-after"]) <= 61
    assert int(refused["headers"]["x-ratelimit-reset-requests"]) > 1_700_000_000


def test_infuzus_sdk_reads_why_it_was_refused(limited, tmp_path):
    assert OTHER_PYTHON.exists(), f"{OTHER_PYTHON} is missing: make install-dev"
    (tmp_path / ".package-version").write_text("0.1.19")  # the SDK reads it on every call
    script = CLIENTS / "limited_infuzu.py"
    report = reported(OTHER_PYTHON, script, limited.url, KEYS["infuzu"], folder=tmp_path)
    assert report["first"] == "answered"
    assert report["second"][:2] == [429, "rate_limit_exceeded"]
