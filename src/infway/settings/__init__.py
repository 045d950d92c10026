"""The whole configuration, read once: frozen and closed, every problem in it named at once.

Nothing here listens, connects or reads the environment: variables are handed in.
"""

from infway.settings.file import Override
from infway.settings.load import Loaded, defaults, json_schema, load, read
from infway.settings.models import (
    AttemptSettings,
    DecisionSettings,
    DefaultWeightSettings,
    DiscoverSettings,
    KeySettings,
    LogSettings,
    PolicySettings,
    RoutingSettings,
    Settings,
)
from infway.settings.server import ServerSettings
from infway.settings.stores import LedgerSettings, StateSettings
from infway.settings.upstreams import ModelSettings, TierSettings, TimeoutSettings, UpstreamSettings

__all__ = [
    "AttemptSettings",
    "DecisionSettings",
    "DefaultWeightSettings",
    "DiscoverSettings",
    "KeySettings",
    "LedgerSettings",
    "Loaded",
    "LogSettings",
    "ModelSettings",
    "Override",
    "PolicySettings",
    "RoutingSettings",
    "ServerSettings",
    "Settings",
    "StateSettings",
    "TierSettings",
    "TimeoutSettings",
    "UpstreamSettings",
    "defaults",
    "json_schema",
    "load",
    "read",
]
