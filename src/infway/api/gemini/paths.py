"""The paths of the Gemini API, as AI Studio and Vertex AI have them; they name the model."""

from infway.api.routes import Family, family

_STUDIO = ("/v1beta/models/", "/v1/models/", "/gemini/v1beta/models/")
_PROJECT = "/projects/{project}/locations/{location}/publishers/"
_VERTEX = (
    f"/v1beta1{_PROJECT}",
    f"/v1{_PROJECT}",
    "/v1beta1/publishers/",  # where a key stands for the project
)
_MODELS = "/models/"
_GOOGLE = "google"


def _doing(action: str) -> Family:
    return family(tail=f":{action}", starts=(*_STUDIO, *_VERTEX))


GENERATE = _doing("generateContent")
STREAM = _doing("streamGenerateContent")
COUNT = _doing("countTokens")
EMBED = _doing("embedContent")
EMBED_BATCH = _doing("batchEmbedContents")


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
