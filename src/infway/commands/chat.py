"""`infway chat`: a small client of the running gateway, to see an answer come."""

import json
import sys
from collections.abc import Iterator

import click
import httpx2

from infway.commands import options
from infway.commands.addresses import address
from infway.commands.asking import headers, refusal, silent, stranger
from infway.commands.surroundings import Surroundings

Message = dict[str, str]
Wishes = dict[str, object]
_EVENTS = "text/event-stream"
PATIENCE = httpx2.Timeout(10.0, read=600.0)  # seconds; a slow model may think for minutes


@click.command("chat")
@click.argument("prompt", required=False)
@click.option("--model", "-m", default="auto", help="Model, alias or policy.", show_default=True)
@click.option("--max-tokens", type=click.IntRange(1), help="The longest answer, in tokens.")
@options.url
@click.pass_obj
def command(
    surroundings: Surroundings,
    prompt: str | None,
    model: str,
    max_tokens: int | None,
    url: str | None,
) -> None:
    """Talk to the running gateway.

    Without PROMPT it reads one from a pipe, or holds a conversation on a terminal. The key is
    INFWAY_API_KEY, or the one that the first start made.
    """
    if prompt is None and not sys.stdin.isatty():
        prompt = sys.stdin.read()
    if prompt is not None and not prompt.strip():
        raise click.UsageError("There is nothing to say: give a PROMPT, or write to the pipe.")
    with httpx2.Client(
        base_url=address(surroundings, url),
        headers=headers(surroundings),
        timeout=PATIENCE,
        trust_env=False,
    ) as client:
        wishes: Wishes = {"model": model, "stream": True}
        if max_tokens is not None:
            wishes["max_tokens"] = max_tokens
        if prompt is not None:
            _say(client, wishes, [{"role": "user", "content": prompt}])
            return
        _converse(client, wishes)


def _converse(client: httpx2.Client, wishes: Wishes) -> None:
    click.echo("An empty line ends the conversation.", err=True)
    messages: list[Message] = []
    while said := click.prompt("you", default="", show_default=False, prompt_suffix="> "):
        messages.append({"role": "user", "content": said})
        messages.append({"role": "assistant", "content": _say(client, wishes, messages)})


def _say(client: httpx2.Client, wishes: Wishes, messages: list[Message]) -> str:
    body = {**wishes, "messages": messages}
    where = str(client.base_url).rstrip("/")
    pieces: list[str] = []
    try:
        with client.stream("POST", "/v1/chat/completions", json=body) as response:
            if response.status_code != 200:
                raise click.ClickException(refusal(response.status_code, response.read()))
            if _EVENTS not in response.headers.get("content-type", _EVENTS):
                raise stranger(where)
            for piece in _pieces(response.iter_lines()):
                click.echo(piece, nl=False)
                pieces.append(piece)
    except httpx2.HTTPError as error:
        raise silent(where, error) from error
    click.echo()
    return "".join(pieces)


def _pieces(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("data: {"):
            continue
        chunk = json.loads(line.removeprefix("data: "))
        if "error" in chunk:
            raise click.ClickException(str(chunk["error"].get("message", chunk["error"])))
        for choice in chunk.get("choices", []):
            yield choice.get("delta", {}).get("content") or ""
