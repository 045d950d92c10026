"""How an upstream is reached and paid: addresses, dialects, quirks and credentials."""

from dataclasses import replace

from infway.kernel.chat import Timeouts, Upstream
from infway.providers.dialects import DIALECTS, PATHS
from infway.providers.embeddings.ways import Way
from infway.providers.registry import EMBEDDERS
from infway.providers.vendors import Route, Vendor
from infway.settings import ModelSettings, UpstreamSettings
from infway.upstream.sign import AnyCredential, AwsKeys, Credential, GoogleAccount

_GLOBAL = "global"  # Google's location without a place, whose host has no prefix


def route_of(
    configured: UpstreamSettings, vendor: Vendor, model: ModelSettings, mode: str | None
) -> Route:
    """Return the way a model is asked: its own dialect, its upstream's, or what the vendor says."""
    native = model.deployment or model.native or model.id
    dialect = model.dialect or configured.dialect
    if dialect is None:
        usual = Route(vendor.dialect, vendor.chat_path, defaults=vendor.defaults)
        return next((way for way in vendor.routes if way.serves(native, mode)), usual)
    known = next((way for way in vendor.routes if way.dialect == dialect), None)
    path = vendor.chat_path if dialect == vendor.dialect else PATHS[dialect]
    return known or Route(dialect, path, defaults=vendor.defaults)


def upstream_of(configured: UpstreamSettings, vendor: Vendor, route: Route) -> Upstream:
    """Return the upstream as its offers of one route see it."""
    said = configured
    # what a vendor departs from is its usual dialect, not the one that only some models speak
    usual = vendor if route.dialect == vendor.dialect else Vendor(vendor.name, vendor.title)
    base = base_url(configured, vendor)
    return Upstream(
        name=said.name,
        vendor=vendor.name,
        dialect=route.dialect,
        chat_url=base + versioned(route.path, configured, vendor),
        timeouts=Timeouts(**said.timeouts.model_dump()),
        headers={"content-type": "application/json", **said.headers} if said.headers else {},
        takes=DIALECTS[route.dialect].takes,
        drop=usual.drop if said.drop is None else frozenset(said.drop),
        refuses=usual.refuses,
        routing=vendor.routing,
        rename=usual.rename if said.rename is None else said.rename,
        defaults=route.defaults if said.defaults is None else said.defaults,
        trains_on_data=said.trains_on_data,
        zero_data_retention=said.zero_data_retention,
        speaks={
            dialect: base + versioned(path, configured, vendor)
            for dialect, path in usual.speaks.items()
        },
    )


def embeddings_at(configured: UpstreamSettings, vendor: Vendor, way: Way) -> Upstream:
    """Return the upstream as its offers of embeddings see it; the caller's fields have no defaults.

    What the configuration sends by default is meant for chats.
    """
    usual = Route(vendor.dialect, vendor.chat_path)
    url = base_url(configured, vendor) + versioned(way.path, configured, vendor)
    dropped = frozenset(configured.drop or ())
    return replace(
        upstream_of(configured, vendor, usual),
        dialect=way.dialect,
        embeddings_url=url,
        takes=EMBEDDERS[way.dialect].takes,
        drop=way.drop | dropped,
        rename=way.rename if configured.rename is None else configured.rename,
        defaults={},
    )


def base_url(configured: UpstreamSettings, vendor: Vendor) -> str:
    """Return the address below which everything of an upstream is."""
    base = (configured.base_url or vendor.base_url or "").rstrip("/")
    region = region_of(configured, vendor)
    if region == _GLOBAL:
        base = base.replace("{region}-", "")
    return base.replace("{region}", region).replace("{project}", configured.project or "")


def region_of(configured: UpstreamSettings, vendor: Vendor) -> str:
    """Return the region, empty for vendors that have none."""
    return configured.region or vendor.region or ""


def versioned(path: str, configured: UpstreamSettings, vendor: Vendor) -> str:
    """Return a path with the API's version in its place."""
    return path.replace("{api_version}", configured.api_version or vendor.api_version or "")


def credential_of(configured: UpstreamSettings, vendor: Vendor) -> AnyCredential | None:
    """Return what pays for an upstream's calls, None where it is free.

    A key counts before the credentials of a cloud.
    """
    if configured.key is not None:
        return _keyed(configured.auth or vendor.auth, configured.key.get_secret_value())
    aws = configured.aws
    if aws is not None:
        token = aws.session_token
        return AwsKeys(
            access_key=aws.access_key_id,
            secret_key=aws.secret_access_key.get_secret_value(),
            session_token=None if token is None else token.get_secret_value(),
            region=region_of(configured, vendor),
        )
    if vendor.cloud == "google":
        account = configured.service_account
        return GoogleAccount(None if account is None else account.get_secret_value())
    return None


def _keyed(auth: str, secret: str) -> Credential:
    if auth == "bearer":
        return Credential("authorization", secret, "Bearer")
    return Credential(auth.removeprefix("header:").lower(), secret)
