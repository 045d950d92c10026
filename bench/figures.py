"""Every figure of the benchmark with its unit and its budget, in the order of the table.

Budgets are the "budget now" column of the project's performance budget. A figure without one is
context: the microseconds behind a ratio, on the machine of the day.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`key` in latest.json; smaller is better for all of them."""

    key: str
    title: str
    unit: str
    budget: float | None = None


_DIALECTS = (
    ("completions", "text completions"),
    ("responses", "Responses"),
    ("messages", "Anthropic messages"),
    ("gemini", "Gemini"),
)
FIGURES = (
    Figure("json_cpu_ratio", "JSON, CPU per request / nginx's", "x", 12),
    Figure("stream_cpu_ratio", "stream, 64 chunks with 2 ms gaps / nginx's", "x", 2.2),
    Figure("stream_burst_cpu_ratio", "stream, 64 chunks back to back / nginx's", "x", 1.8),
    Figure("translated_cpu_ratio", "translated stream (Anthropic upstream) / nginx's", "x", 4),
    Figure("ims_us_8", "IMS decision, 8 offers", "us", 25),
    Figure("ims_us_200", "IMS decision, 200 offers", "us", 300),
    Figure("added_p50_ms", "added p50 at 200 requests/s", "ms", 1.0),
    Figure("added_p99_ms", "added p99 at 200 requests/s", "ms", 6.0),
    Figure("added_ttft_p99_ms", "added time to first token, p99", "ms", 3.0),
    Figure("idle_mb", "memory, one worker, idle with the full catalogue", "MB", 110),
    Figure("stream_kib", "memory per open idle stream", "KiB", 40),
    Figure("start_s", "start to first answered request", "s", 1.5),
    Figure("import_s", "import infway.app", "s", 0.6),
    Figure("packages", "installed runtime packages", "", 40),
    Figure("size_mb", "installed size", "MB", 120),
    *(
        Figure(f"{name}{kind}_vs_chat", f"{title}{words}, CPU per request / chat's", "x")
        for kind, words in (("", ""), ("_stream", " as a stream"))
        for name, title in _DIALECTS
    ),
    Figure("embeddings_vs_chat", "embeddings, CPU per request / chat's", "x"),
    Figure("token_counter_vs_chat", "token counter, CPU per request / chat's", "x"),
    Figure("json_cpu_us", "JSON, CPU per request", "us"),
    Figure("nginx_json_cpu_us", "JSON, CPU per request, nginx", "us"),
    Figure("stream_cpu_us", "stream with 2 ms gaps, CPU", "us"),
    Figure("translated_cpu_us", "translated stream with 2 ms gaps, CPU", "us"),
    Figure("nginx_stream_cpu_us", "stream with 2 ms gaps, CPU, nginx", "us"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one measurement brought: values by figure key, and remarks for the reader."""

    values: dict[str, float]
    notes: tuple[str, ...] = ()
