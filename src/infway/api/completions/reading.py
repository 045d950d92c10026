"""From a body to a text completion: as its caller put it, and as the chat that may carry it."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeGuard

import msgspec

from infway.api.completions.schema import Prompt, TextBody
from infway.api.gate import read_members
from infway.api.limits import check_limits
from infway.api.reading import OWN, Wishes, missing, read_chat, refuse
from infway.api.unreadable import not_json
from infway.kernel.chat import ChatRequest, Native
from infway.kernel.errors import CallerError
from infway.providers.completions.carry import CHATS, DIALECT

_Fields = Mapping[str, msgspec.Raw]
_read_body = msgspec.json.Decoder(TextBody).decode
_write = msgspec.json.Encoder().encode

_OWN = frozenset(OWN) - {"prompt"}
# Fields that chats have no words for, or other ones
_TEXTS = frozenset({"prompt", "suffix", "echo", "best_of", "logprobs"})
_CHAT_TOKENS = 6  # what a message and the reply add to the tokens of a prompt: OpenAI's rule


class TextRequest(NamedTuple):
    """One request, read. `echo`: the prompts, where infway lets their continuations begin with them.

    `n`: how many continuations of each are asked for.
    """

    ask: ChatRequest
    wishes: Wishes
    echo: tuple[str, ...]
    n: int


def read_text(body: bytes, request_id: str, path_model: str | None) -> TextRequest:
    """Return the request and what its caller wants back; raises CallerError with the field.

    Its size is that of the longest prompt: each of them is read by itself.
    """
    said, fields = _read(body)
    check_limits(fields, said.max_tokens)
    prompts = _prompts(said.prompt)
    if said.best_of is not None and said.best_of < (said.n or 1):
        raise _wrong("best_of", "must be at least n.")
    longest = max(prompts, key=len)
    ids = 0 if isinstance(longest, str) else len(longest)
    text = longest if isinstance(longest, str) else ""
    ask, wishes = read_chat(_as_chat(said, fields, text), request_id, path_model)
    if ask.selection.imsn > 1:
        raise _wrong("model.imsn", "must be 1: chats alone have several models' answers.")
    needs = dict(_needs(said, prompts))
    passed = _as_text(fields)
    is_left = "echo" in needs or said.max_tokens == 0  # to the upstream, or who speaks to it
    echo = () if is_left or not said.echo else tuple(filter(_is_text, prompts))
    if not is_left:
        passed.pop("echo", None)
    words = {path: word for path, word in needs.items() if word}
    native = Native(
        DIALECT, passed, tuple(needs), tuple(sorted(CHATS & fields.keys())), words=words
    )
    ask = ask._replace(native=native)
    if ids:
        ask = ask._replace(input_tokens=ids + _CHAT_TOKENS)
    return TextRequest(ask, wishes, echo, said.n or 1)


def _read(body: bytes) -> tuple[TextBody, _Fields]:
    """Return the body with types, and as it was sent without what is null."""
    try:
        if not body.isascii():
            body.decode()
        said, fields = _read_body(body), read_members(body)
    except msgspec.ValidationError as error:
        refuse(error, body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_json(body, error) from error
    return said, {name: raw for name, raw in fields.items() if bytes(raw) != b"null"}


def _prompts(given: Prompt | None) -> list[str] | list[list[int]]:
    """Return the prompts, all texts or all lists of token ids; raises CallerError."""
    if given is None:
        raise missing("prompt")
    if isinstance(given, str):
        return [given]
    if not given:
        raise _wrong("prompt", "must not be empty.")
    kind = type(given[0])
    odd = next((place for place, one in enumerate(given) if type(one) is not kind), None)
    if odd is not None:
        raise _wrong(f"prompt[{odd}]", "must be of the same kind as prompt[0].")
    lists = [one for one in given if isinstance(one, list)]
    if [] in lists:
        raise _wrong(f"prompt[{lists.index([])}]", "must not be empty.")
    texts = [one for one in given if isinstance(one, str)]
    return texts or lists or [[one for one in given if isinstance(one, int)]]


def _is_text(prompt: object) -> TypeGuard[str]:
    return isinstance(prompt, str)


def _needs(said: TextBody, prompts: list[str] | list[list[int]]) -> Iterator[tuple[str, str]]:
    """Yield the fields that change the answer and that no chat can say, and what they ask for.

    An echo of text alone is none of them: infway repeats it itself, as not every server does.
    """
    are_texts = isinstance(prompts[0], str)
    if len(prompts) > 1 or not are_texts:
        yield "prompt", "several prompts" if are_texts else "token ids"
    if said.echo and (said.logprobs is not None or not are_texts):
        yield "echo", "with `logprobs`" if are_texts else "of token ids"
    if said.suffix:
        yield "suffix", ""
    if said.best_of is not None and said.best_of > (said.n or 1):
        yield "best_of", "more than `n`"
    if said.logprobs is not None:
        yield "logprobs", ""
    if said.max_tokens == 0:
        yield "max_tokens", "0 tokens"


def _as_chat(said: TextBody, fields: _Fields, text: str) -> bytes:
    """Return the body of the chat in which the prompt is what the user says."""
    chat: dict[str, object] = {
        name: raw for name, raw in fields.items() if name not in _TEXTS and name not in CHATS
    }
    if said.max_tokens == 0:
        del chat["max_tokens"]
    chat["messages"] = [{"role": "user", "content": text}]
    return _write(chat)


def _as_text(fields: _Fields) -> dict[str, object]:
    """Return what goes to an upstream that continues texts: not infway's own fields.

    The limit has but one name there.
    """
    passed: dict[str, object] = {name: raw for name, raw in fields.items() if name not in _OWN}
    limit = passed.pop("max_completion_tokens", None)
    if limit is not None:
        passed.setdefault("max_tokens", limit)
    return passed


def _wrong(path: str, what: str) -> CallerError:
    return CallerError(400, "invalid_field", f"{path}: {what}", path)
