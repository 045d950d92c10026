"""docs/providers.md from the registry: dialects, vendors, their variables, features and quirks.

python scripts/build_provider_docs.py > docs/providers.md
"""

import json
from collections.abc import Iterable, Iterator, Mapping

from infway.kernel.chat import Feature
from infway.providers.dialects import ALWAYS, DIALECTS, Dialect
from infway.providers.embeddings.ways import Way, ways_of
from infway.providers.passing.ways import ways_of as work_ways
from infway.providers.registry import EMBEDDERS
from infway.providers.vendor import FOREIGN
from infway.providers.vendors import VENDORS, Vendor

HEAD = """# Providers

Made from the registry by `scripts/build_provider_docs.py`; a test keeps it current.

infway speaks OpenAI's dialects to its clients and the upstream's own dialect to the upstream. What a
dialect has no words for is never lost in silence:

- A parameter that does not change what the answer means is left out and listed: in the reply's
  `x-gateway-dropped` header and with the attempt in `GET /admin/decisions/{id}`.
- With `provider.require_parameters` an offer that would have to leave a parameter out is no candidate.
- Where leaving it out would change the answer (tools, images, a JSON schema...), the offer is no
  candidate at all; if that shows only in a detail (an uploaded file of another vendor), the attempt ends
  with `untranslatable` and the next offer is tried. Nothing was sent then.

What models think travels with the conversation: `reasoning_details` of a reply (and
`tool_calls[].extra_content`) belong back in the next request as they came; LiteLLM's `thinking_blocks`
are read as well. `cache_control` on parts, messages and tools reaches the vendors that have it.
"""
WORDS: Mapping[Feature, str] = {
    Feature.TOOLS: "tools",
    Feature.VISION: "images",
    Feature.REMOTE_MEDIA: "images by address",
    Feature.AUDIO_IN: "audio in",
    Feature.AUDIO_OUT: "audio out",
    Feature.FILES: "files",
    Feature.JSON_OBJECT: "JSON object",
    Feature.JSON_SCHEMA: "JSON schema",
    Feature.REASONING: "reasoning",
    Feature.LOGPROBS: "log probabilities",
    Feature.SEVERAL: "n > 1",
    Feature.PREFILL: "prefill",
}
TITLES: Mapping[str, str] = {
    "openai": "OpenAI chat completions",
    "responses": "OpenAI Responses",
    "completions": "OpenAI text completions",
    "anthropic": "Anthropic Messages",
    "gemini": "Gemini generateContent",
    "bedrock": "Bedrock Converse",
    "bedrock-invoke": "Bedrock InvokeModel, Claude",
    "cohere": "Cohere v2 chat",
    "ollama": "Ollama chat",
}


def page() -> str:
    """Return the page."""
    names = [name for name in TITLES if name in DIALECTS]
    return "\n".join([HEAD, *dialects(names), *vendors(), *embeddings(), *work(), ""])


def dialects(names: list[str]) -> Iterator[str]:
    """Yield the tables of what each dialect has words for."""
    yield "## Dialects\n"
    yield "| | " + " | ".join(f"`{name}`" for name in names) + " |"
    yield "| --- |" + " :-: |" * len(names)
    for feature, word in WORDS.items():
        marks = ["x" if feature in DIALECTS[name].features else "" for name in names]
        yield f"| {word} | " + " | ".join(marks) + " |"
    yield "\nRequest fields that are carried beside messages and the limit of the answer:\n"
    for name in names:
        yield f"- `{name}` ({TITLES[name]}): {fields(DIALECTS[name])}"


def fields(dialect: Dialect) -> str:
    """Return the request fields a dialect carries."""
    if dialect.takes is None:
        return "any field is passed on as it came, known or not."
    return ", ".join(f"`{name}`" for name in sorted(dialect.takes - ALWAYS)) + "."


def vendors() -> Iterator[str]:
    """Yield the table of vendors and what is special about each."""
    yield "\n## Vendors\n"
    yield (
        "`custom` fits any other server of the OpenAI dialect; with `dialect` of any other. A price"
        " that is not packaged has to be given.\n"
    )
    yield "| vendor | | dialect | base URL | key variable | prices |"
    yield "| --- | --- | --- | --- | --- | --- |"
    yield from map(row, VENDORS.values())
    yield "\n## What is special about them\n"
    told: dict[str, list[str]] = {}
    for vendor in VENDORS.values():
        quirks = " ".join(special(vendor))
        if quirks:
            told.setdefault(quirks, []).append(vendor.name)
    for quirks, names in told.items():
        yield f"- {listed(names)}: {quirks}"


def row(vendor: Vendor) -> str:
    """Return the line of one vendor."""
    base = f"`{vendor.base_url}`" if vendor.base_url else "give `base_url`"
    names = listed(vendor.env) or (
        "Google credentials" if vendor.cloud == "google" else "none needed"
    )
    prices = "packaged" if vendor.catalogue else "free" if vendor.local else "give them"
    if vendor.name == "sandbox":
        base, prices = "in the process", "simulated"
    routed = (route.dialect for route in vendor.routes)
    spoken = dict.fromkeys([vendor.dialect, *routed, *vendor.speaks])
    return f"| `{vendor.name}` | {vendor.title} | {listed(spoken)} | {base} | {names} | {prices} |"


def special(vendor: Vendor) -> Iterator[str]:
    """Yield a sentence for each departure of a vendor."""
    if vendor.note:
        yield vendor.note
    if vendor.region:
        others = listed(("region", *vendor.region_env))
        yield f"The region is `{vendor.region}` where none of {others} says another."
    if vendor.own_names:
        yield "Its models are named by the account, so they have to be listed."
    for route in vendor.routes:
        which = listed(route.models) or "the models that the catalogue marks so"
        yield f"{which[0].upper() + which[1:]}: {TITLES[route.dialect]}."
    if vendor.rename:
        renamed = ", ".join(f"`{old}` as `{new}`" for old, new in sorted(vendor.rename.items()))
        yield f"Sent under another name: {renamed}."
    yield from left_out(vendor)
    if vendor.defaults:
        yield f"Sent where nothing else is said: `{json.dumps(dict(vendor.defaults))}`."
    if vendor.lacks:
        lacking = [word for feature, word in WORDS.items() if feature in vendor.lacks]
        yield f"No {', '.join(lacking)}."


def embeddings() -> Iterator[str]:
    """Yield the table of how vendors are asked for embeddings."""
    yield "\n## Embeddings\n"
    yield (
        "Requests with more inputs than one call may have are asked for in parts. Token ids go only to"
        " those that read them. The format of the numbers is converted where an upstream does not know"
        " the one that was asked for.\n"
    )
    yield "| vendor | models | path | inputs of a call | token ids | carries | left out |"
    yield "| --- | --- | --- | --- | :-: | --- | --- |"
    told: dict[str, list[str]] = {}
    for vendor in VENDORS.values():
        for way in ways_of(vendor):
            told.setdefault(way_row(way), []).append(vendor.name)
    for said, names in told.items():
        who = listed(names) if len(names) < 10 else f"{len(names)} others of OpenAI's dialect"
        yield f"| {who} | {said}"


def way_row(way: Way) -> str:
    """Return the line of one way of asking, without the vendors that are asked so."""
    takes = EMBEDDERS[way.dialect].takes
    carries = "any field" if takes is None else listed(sorted(takes - way.drop))
    if way.rename:
        renamed = ", ".join(f"`{old}` as `{new}`" for old, new in sorted(way.rename.items()))
        carries += f"; {renamed}"
    models = "all" if way.models == ("*",) else listed(way.models)
    most, ids = way.most or "any number", "x" if way.reads_ids else ""
    dropped = listed(sorted(way.drop)) if takes is None else ""
    return f"{models} | `{way.path}` | {most} | {ids} | {carries} | {dropped} |"


def work() -> Iterator[str]:
    """Yield the table of how vendors are asked for everything else."""
    yield "\n## Other work\n"
    yield (
        "Rerank, moderations, images, speech and transcription, at the vendors that are known to do"
        " them. Servers of one's own are asked as OpenAI is.\n"
    )
    yield "| vendor | work | models | path |"
    yield "| --- | --- | --- | --- |"
    told: dict[str, list[str]] = {}
    for vendor in VENDORS.values():
        for trade, ways in work_ways(vendor).items():
            for way in ways:
                models = "all" if way.models == ("*",) else listed(way.models)
                models += f" but {listed(way.skip)}" if way.skip else ""
                said = f"{trade.value} | {models} | {listed(way.paths.values())} |"
                told.setdefault(said, []).append(vendor.name)
    for said, names in told.items():
        own = [name for name in names if VENDORS[name].local or name == "custom"]
        who = listed(name for name in names if name not in own)
        if own:
            who += ", servers of one's own" if who else "servers of one's own"
        yield f"| {who} | {said}"


def left_out(vendor: Vendor) -> Iterator[str]:
    """Yield what a vendor is never told."""
    own = vendor.drop - FOREIGN
    if vendor.drop & FOREIGN:
        yield "Fields of other servers are left out and listed" + (
            "." if not own else ", and so are:"
        )
    if own:
        yield (
            f"{listed(sorted(own))}."
            if vendor.drop & FOREIGN
            else f"Left out: {listed(sorted(own))}."
        )
    if vendor.routing:
        yield (
            f"Left out of callers' requests, since the vendor would choose models or sell extras by them:"
            f" {listed(sorted(vendor.routing))}. `defaults` may set them."
        )
    if vendor.refuses:
        yield "Other vendors' extensions of messages and tools are taken out and listed."


def listed(words: Iterable[str]) -> str:
    """Return words as code, with commas."""
    return ", ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    print(page(), end="")
