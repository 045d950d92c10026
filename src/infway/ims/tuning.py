"""Every number of the router that was chosen rather than derived, in one place.

The values are the starting values of the design (ims, section 3); those it leaves open are
marked with what they were weighed against.
"""

from dataclasses import dataclass

from infway.kernel.chat import Weights

WEIGHTS = Weights(price=1.0, error=1.0, start_latency=0.25, end_latency=0.25, quality=2.0)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of an offer that nobody has used yet.

    `failure`, `seen`: probabilities per attempt. `delay`, `start`: seconds. `speed`: output
    tokens per second. `output`: tokens per reply. `spread`: standard deviation of the natural
    logarithm of one first-token time, or of one speed.
    """

    failure: float = 0.01
    seen: float = 0.002
    delay: float = 1.0
    start: float = 0.8
    speed: float = 60.0
    output: float = 256.0
    spread: float = 0.5


@dataclass(frozen=True, slots=True)
class Strength:
    """How many observations a prior is worth, and how many a pool of other offers at most."""

    counts: float = 10.0
    times: float = 2.0
    pool: float = 10.0


@dataclass(frozen=True, slots=True)
class Trip:
    """When a breaker opens and for how long (reliability, section 3). Times in seconds.

    `quick`: a probe that fails within it costs a request next to nothing, so that the wait for
    the next one doubles up to `soon` only: whoever refuses at once is seen to be back at once.
    After a breaker closes, its offer gets `ramp` of its requests, each share for `step`. `pause`:
    between two trials of offers that fell silent, where a request has no others left.
    """

    streak: float = 5.0
    share: float = 0.5
    volume: int = 20
    window: float = 30.0
    first: float = 1.0
    longest: float = 60.0
    jitter: float = 0.5
    lease: float = 60.0
    quick: float = 1.0
    soon: float = 2.0
    pause: float = 10.0  # what a first token is waited for while another offer is left
    ramp: tuple[float, ...] = (0.1, 0.3)
    step: float = 1.0
    doubt: float = 2.0  # attempts that what was seen before the opening still counts for


@dataclass(frozen=True, slots=True)
class Rests:
    """How long something is left alone, in seconds, and how learned ceilings move."""

    rate_limited: float = 1.0  # a 429 that names no time; twice as long after each further one
    tired: float = 30.0  # the longest rest of that kind
    operator: float = 300.0  # our key or our configuration: tried again after 5 minutes
    longest: float = 300.0  # no upstream may ask for more
    decrease: float = 0.9  # ceiling after a 429, of what was in use
    increase: float = 1.0  # requests in flight that a full round of successes adds
    growth: float = 0.1  # of the ceiling on tokens, per minute without a refusal


@dataclass(frozen=True, slots=True)
class Tuning:
    """The router's constants.

    `weights`: what counts how much where the caller says nothing. `seen`, `absorbed`: what a
    failure costs, in units of ln(price), if the caller sees it, or if a fallback absorbs it.
    `floor_price` in USD per million tokens, `floor_start` and `floor_end` in seconds keep
    logarithms finite. `explore`: the share of requests whose order is drawn from the posteriors.
    `wide`: from how many offers on only those near the best are drawn. `notice`: seconds
    until a success shows in what is believed (a failure shows at once). `refresh`: seconds after
    which an idle offer's belief is computed anew. `room`: requests in flight beside the usual
    number before an offer is taken for slower; `habit`: dispatches after which a number of them is
    usual. Half-lives and cache life in seconds.
    """

    weights: Weights = WEIGHTS
    seen: float = 8.0
    absorbed: float = 1.0
    floor_price: float = 0.02
    floor_start: float = 0.05
    floor_end: float = 0.25
    slow_half_life: float = 300.0
    fast_half_life: float = 30.0
    latest: float = 8.0  # times of one offer that the fast scale holds; 4 to 32 were tried
    disagreement: float = 2.0  # squared standard errors between the two time scales
    explore: float = 1.0
    wide: int = 24
    refresh: float = 1.0
    notice: float = 0.02
    room: float = 4.0
    habit: float = 64.0
    cache_life: float = 300.0
    cache_hit: float = 0.9
    remembered: int = 20_000
    prior: Prior = Prior()
    strength: Strength = Strength()
    trip: Trip = Trip()
    rests: Rests = Rests()
