"""Rows 21 to 37: what an upstream says instead of an answer."""

from tests.wall.matrix.case import Case
from tests.wall.matrix.rows_before import NEVER, both

_LIMITED = "upstream_rate_limited"
_WAITED = {"attempts": {"lone_patience": 0.05}}


def limited(script: str, rest: float, **more: object) -> list[Case]:
    """A rate limit with another offer behind it, and without: the credential rests so long."""
    told = {"retry-after": str(more.pop("told")), "x-should-retry": more.pop("again", None)}
    row = int(str(more.pop("row")))
    times = int(str(more.pop("times", 1)))
    learned = {"ceilings": ("one",), "rests": {"one": rest}}
    return [
        Case(row, (script, "ok"), attempts=("one:rate_limited", "two:ok"), **learned),  # type: ignore[arg-type]
        Case(
            row,
            (script,),
            429,
            _LIMITED,
            attempts=("one:rate_limited",) * times,
            headers=told,  # type: ignore[arg-type]
            settings=_WAITED,
            **learned,  # type: ignore[arg-type]
        ),
    ]


LIMITS = [
    *limited("status@429~retry-after=2", 2.0, row=21, told=2),
    *limited("status@429~retry-after=60", 60.0, row=21, told=60),
    *limited("status@429~retry-after=61", 61.0, row=21, told=61, again="false"),
    Case(  # waited for, since nothing else is there
        21,
        ("status@429~retry-after=0.02|ok",),
        attempts=("one:rate_limited", "one:ok"),
        ceilings=("one",),
    ),
    Case(  # the shortest wait of all that were told
        21,
        ("status@429~retry-after=60", "status@429~retry-after=40"),
        429,
        _LIMITED,
        attempts=("one:rate_limited", "two:rate_limited"),
        headers={"retry-after": "40", "x-should-retry": None},
        rests={"one": 60.0, "two": 40.0},
        ceilings=("one", "two"),
        settings=_WAITED,
    ),
    *limited("status@429~date=30", 30.0, row=22, told=30),
    *limited("status@429~retry-after=1000000000", 300.0, row=22, told=300, again="false"),
    *limited("status@429~date=86400", 300.0, row=22, told=300, again="false"),
    Case(22, ("status@429~date=-30|ok",), attempts=("one:rate_limited", "one:ok"), ceilings=("one",)),
    *limited("status@429~retry-after=soon", 1.0, row=22, told=1, again="false", times=3),
    *limited("status@429~retry-after=-5", 1.0, row=22, told=1, again="false", times=3),
    *limited("status@429~retry-after=1e9", 1.0, row=22, told=1, again="false", times=3),
    *limited("status@429", 1.0, row=23, told=1, again="false", times=3),
    Case(
        23,
        ("status@429|status@429|ok",),
        attempts=("one:rate_limited", "one:rate_limited", "one:ok"),
        rests={"one": 1.0},
        ceilings=("one",),
    ),
]  # fmt: skip

_OFF = {"one": 300.0}  # tried again after five minutes

CREDENTIALS = [
    *both(24, "status@429~code=insufficient_quota", "provider_quota", "upstream_quota", rests=_OFF),
    *both(24, "status@429~code=insufficient_quota~retry-after=1", "provider_quota",
          "upstream_quota", rests=_OFF),
    *both(29, "status@401", "provider_auth", "upstream_auth_error", rests=_OFF),
    *both(29, "status@403", "provider_auth", "upstream_auth_error", rests=_OFF),
    *both(30, "status@402", "provider_quota", "upstream_quota", rests=_OFF),
    *both(30, "status@400~message=Your credit balance is too low", "provider_quota",
          "upstream_quota", rests=_OFF),
    *both(31, "status@404", "model_missing", "upstream_model_missing", rests=_OFF),
]  # fmt: skip

SICK = [
    *both(25, "status@500", "http_500", "upstream_error", again=True),
    Case(25, ("status@500|ok",), attempts=("one:http_500", "one:ok")),
    *both(26, "status@502~body=html", "http_5xx", "upstream_error", again=True),
    *both(26, "status@503", "http_5xx", "upstream_error", again=True),
    *both(26, "status@504~body=none", "http_5xx", "upstream_error", again=True),
    Case(  # it said when, and that is too late
        26,
        ("status@503~retry-after=30",),
        502,
        "upstream_error",
        attempts=("one:http_5xx",),
        headers={"x-should-retry": None, "retry-after": "30"},
    ),
    *both(27, "status@529", "overloaded", "upstream_overloaded", 503,
          headers={"retry-after": "1"}, ceilings=("one",)),
    *both(27, "status@503~type=overloaded_error", "overloaded", "upstream_overloaded", 503,
          headers={"retry-after": "1"}, ceilings=("one",)),
    Case(
        27,
        ("status@529~retry-after=7",),
        503,
        "upstream_overloaded",
        attempts=("one:overloaded",),
        headers={"retry-after": "7", "x-should-retry": None},
        ceilings=("one",),
    ),
    *both(28, "status@408", "http_4xx_retryable", "upstream_error", again=True),
    *both(28, "status@409", "http_4xx_retryable", "upstream_error", again=True),
    *both(28, "status@425", "http_4xx_retryable", "upstream_error", again=True),
]  # fmt: skip


def passed(row: int, script: str, status: int, code: str, fault: str) -> Case:
    """The caller's own mistake: told at once, tried nowhere else."""
    return Case(row, (script, "ok"), status, code, attempts=(f"one:{fault}",), headers=NEVER)


CALLERS = [
    passed(32, "status@400~code=context_length_exceeded", 400, "context_length_exceeded", "context_length"),
    passed(32, "status@400~message=This model's maximum context length is 8192 tokens", 400,
           "context_length_exceeded", "context_length"),
    passed(33, "status@400~code=content_filter", 400, "content_policy_violation", "content_filter"),
    Case(
        33,
        ("status@400~code=content_filter", "ok"),
        attempts=("one:content_filter", "two:ok"),
        settings={"routing": {"reroute_filtered": True}},
    ),
    Case(33, ("filtered", "ok"), attempts=("one:ok",), stream=False),
    passed(34, "status@400", 400, "upstream_rejected", "upstream_4xx"),
    passed(34, "status@422", 400, "upstream_rejected", "upstream_4xx"),
    passed(34, "status@418", 400, "upstream_rejected", "upstream_4xx"),
    passed(35, "status@413", 413, "payload_too_large", "payload_too_large"),
    *both(36, "redirect", "redirect", "upstream_redirect"),
    Case(37, ("early-hints",), attempts=("one:ok",)),
    Case(37, ("trailers",), attempts=("one:ok",)),
]  # fmt: skip

CASES = [*LIMITS, *CREDENTIALS, *SICK, *CALLERS]
