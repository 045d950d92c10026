"""The endpoints of all other work, a line each: which paths, and what answers them."""

from collections.abc import Callable, Iterator, Mapping

from infway.accounts.keys import Keyring
from infway.api.errors import Header
from infway.api.line import Rules
from infway.api.passing.endpoint import Job, PassingEndpoint
from infway.api.passing.paths import family_of
from infway.api.passing.reading import read_image, read_moderation, read_rerank, read_speech
from infway.api.routes import Family
from infway.kernel.chat import Feature
from infway.kernel.work import WORKS, Trade
from infway.pipeline.passing import PassingGateway

JOBS: tuple[Job, ...] = (
    Job(Feature.RERANK, read_rerank),
    Job(Feature.MODERATION, read_moderation),
    Job(Feature.IMAGES, read_image),
    Job(Feature.IMAGE_EDITS, read_image, forms=True),
    Job(Feature.IMAGE_VARIATIONS, None, forms=True),
    Job(Feature.SPEECH, read_speech),
    Job(Feature.TRANSCRIPTION, None, forms=True),
    Job(Feature.TRANSLATION, None, forms=True),
)


def passing_endpoints(
    gateways: Mapping[Trade, PassingGateway],
    keyring: Keyring,
    rules: Rules,
    traces: Callable[[float], list[Header]],
) -> Iterator[tuple[Family, PassingEndpoint]]:
    """Return all of them, with one configuration."""
    trades = {work: trade for trade, works in WORKS.items() for work in works}
    for job in JOBS:
        gateway = gateways[trades[job.work]]
        yield family_of(job.work), PassingEndpoint(job, gateway, keyring, rules, traces)
