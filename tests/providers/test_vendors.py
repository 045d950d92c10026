"""The vendors' table: every row is usable as it stands."""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from infway.ims.pricebook import PriceBook
from infway.providers.dialects import DIALECTS
from infway.providers.registry import ADAPTERS
from infway.providers.vendors import VENDORS, Vendor
from infway.upstream.sign import Credential

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "providers.md"
ROWS = [pytest.param(vendor, id=vendor.name) for vendor in VENDORS.values()]


@pytest.fixture(scope="module")
def prices() -> PriceBook:
    return PriceBook.read((files("infway.ims") / "data" / "catalog.json.gz").read_bytes())


def test_there_are_many_vendors_and_every_name_is_its_own():
    assert len([vendor for vendor in VENDORS.values() if vendor.dialect == "openai"]) >= 50
    assert all(name == vendor.name for name, vendor in VENDORS.items())
    assert len({vendor.title for vendor in VENDORS.values()}) == len(VENDORS)


@pytest.mark.parametrize("vendor", ROWS)
def test_a_row_speaks_a_dialect_that_exists(vendor: Vendor):
    assert vendor.dialect in ADAPTERS


@pytest.mark.parametrize("vendor", ROWS)
def test_a_cloud_vendor_is_reached_by_tls_and_a_local_one_on_loopback(vendor: Vendor):
    if vendor.base_url is None or vendor.name == "sandbox":
        return
    parts = urlsplit(vendor.base_url)
    assert not vendor.base_url.endswith("/")
    assert vendor.chat_path.startswith("/")
    if vendor.local:
        assert (parts.scheme, parts.hostname, parts.port) == ("http", "127.0.0.1", vendor.port)
    else:
        assert parts.scheme == "https"


@pytest.mark.parametrize("vendor", ROWS)
def test_a_vendor_in_the_cloud_says_which_variable_holds_its_key(vendor: Vendor):
    without = vendor.local or vendor.cloud == "google" or vendor.name in ("custom", "sandbox")
    assert bool(vendor.env) != without
    assert all(name.isupper() and name.isidentifier() for name in vendor.env)


@pytest.mark.parametrize("vendor", ROWS)
def test_a_catalogue_name_is_in_the_packaged_price_list(vendor: Vendor, prices: PriceBook):
    if vendor.catalogue is not None:
        assert prices.models(vendor.catalogue)


@pytest.mark.parametrize("vendor", ROWS)
def test_a_renamed_field_does_not_arrive_at_a_dropped_one(vendor: Vendor):
    assert not set(vendor.rename.values()) & vendor.drop
    assert not set(vendor.rename.values()) & set(vendor.rename)


@pytest.mark.parametrize("vendor", ROWS)
def test_the_key_travels_in_one_known_way(vendor: Vendor):
    kind, _, header = vendor.auth.partition(":")
    assert (kind, bool(header)) in {("bearer", False), ("header", True)}
    assert Credential(header or "authorization", "x").headers()


def test_a_key_variable_belongs_to_one_service():
    owners: dict[str, set[str]] = {}
    for vendor in VENDORS.values():
        for name in vendor.env:
            owners.setdefault(name, set()).add(vendor.name.partition("-")[0])
    assert [name for name, vendors in owners.items() if len(vendors) > 1] == []


def test_the_page_of_providers_is_current():
    script = ROOT / "scripts" / "build_provider_docs.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert DOCS.read_text() == done.stdout, f"python {script.name} > docs/providers.md"


def test_the_region_where_nothing_is_said_is_told():
    page = DOCS.read_text().partition("## What is special")[2]
    for vendor in VENDORS.values():
        if vendor.region is not None:
            told = next(line for line in page.splitlines() if line.startswith(f"- `{vendor.name}`"))
            assert f"The region is `{vendor.region}` where none of `region`" in told
            assert "Needs `region`" not in told


@pytest.mark.parametrize("vendor", ROWS)
def test_a_vendor_of_many_dialects_speaks_ones_that_exist(vendor: Vendor):
    assert {route.dialect for route in vendor.routes} <= set(DIALECTS)
