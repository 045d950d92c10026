"""The paths of the Gemini API, as AI Studio and Vertex AI have them; they name the model."""

import re

from infway.api.routes import Family, family

_STUDIO = ("/v1beta/models/", "/v1/models/", "/gemini/v1beta/models/")
_PROJECT = "/projects/{project}/locations/{location}/publishers/"
_VERTEX = (
    f"/v1beta1{_PROJECT}",
    f"/v1{_PROJECT}",
    "/v1beta1/publishers/",  # where a key stands for the project
)
_KEYED = re.compile(r"(/gemini)?/v1beta1?/|/v1/(models|projects)(/|$)")
_MODELS = "/models/"
_GOOGLE = "google"


def _doing(action: str) -> Family:
    return family(tail=f":{action}", starts=(*_STUDIO, *_VERTEX))


GENERATE = _doing("generateContent")
STREAM = _doing("streamGenerateContent")
COUNT = _doing("countTokens")
EMBED = _doing("embedContent")
EMBED_BATCH = _doing("batchEmbedContents")


def key_query(path: str, query: bytes) -> bytes:
    """Return the query of an address where a key in it counts, nothing where it does not."""
    return query if _KEYED.match(path) else b""


def model_of(named: str | None) -> str | None:
    """Return the model that a path names; below `publishers/`, its maker is a part of the name.

    Google's own models have no maker in their names: `google/models/gemini-2.5-pro`.
    """
    if named is None:
        return None
    maker, found, model = named.partition(_MODELS)
    if not found or "/" in maker:
        return named
    return model if maker == _GOOGLE else f"{maker}/{model}"
