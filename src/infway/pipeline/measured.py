"""How much of an answer stands in frames of OpenAI's dialect, whatever else stands in them.

Beside the text there are log probabilities, padding, usage that is null, and names of fields: in
many frames ten times as much as the text itself.
"""

import re

# No name with its quotes can stand inside a JSON string, where quotes are escaped
_SAID = re.compile(
    rb'"(content|text|reasoning|reasoning_content|refusal|arguments|name)"\s*+:\s*+'
    rb'"((?:[^"\\]++|\\.)*+)"',
    re.DOTALL,
)


def text_in(frames: bytes) -> int:
    """Return how many bytes of text, reasoning and tool calls there are, as they stand in JSON.

    What vendors say twice counts once: reasoning under two names, or in its details as well.
    """
    sizes: dict[bytes, int] = {}
    for name, text in _SAID.findall(frames):
        sizes[name] = sizes.get(name, 0) + len(text)
    thought = sizes.pop(b"reasoning", 0), sizes.pop(b"reasoning_content", 0)
    within = sizes.pop(b"text", 0)  # of text completions, of parts, and of details
    return max(within, max(thought) + sum(sizes.values()))
