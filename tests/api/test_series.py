"""What a request is called in the metrics and the ledger that never came to an attempt."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from tests.api.budgeted import budgeted, opened
from tests.conftest import Start

SPELLINGS = ("m1", "one/m1", "one:m1", "m1:nitro", "m1:free", "m1:floor")


async def test_every_spelling_of_a_model_is_one_series(tmp_path: Path, start: Start) -> None:
    with opened(tmp_path / "budgets.db") as database:
        key = {"budgets": [{"per": "total", "usd": "0.000001"}]}
        there = await budgeted(start, database, key=key)
        told = [(await there.gateway.chat(model=one, max_tokens=9)).status for one in SPELLINGS]
        await there.gateway.app.settler.flush()
        rows = database.read("SELECT model FROM entries")
        page = there.gateway.app.metrics.page().decode()
    assert told.count(402) >= 3
    assert rows == [("m1",)] * told.count(402)
    said = {
        sample.labels["model"]
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "infway_requests_total"
    }
    assert said == {"m1"}
