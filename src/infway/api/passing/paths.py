"""Where such work is asked for."""

from infway.api.routes import Family, everywhere
from infway.kernel.chat import Feature
from infway.kernel.work import PLACES


def family_of(work: Feature) -> Family:
    """Return the paths of one kind of work; Cohere's second version has one for reranking."""
    usual = everywhere(PLACES[work])
    return usual._replace(paths=usual.paths | {"/v2/rerank"}) if work is Feature.RERANK else usual
