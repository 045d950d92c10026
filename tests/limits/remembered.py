"""A process that has let in much, and remembers it."""

from infway.kernel.account import Holder, Limits, Window
from infway.state.meter_redis import RedisMeter


def remembered(meter: RedisMeter, keys: int, turns: int) -> list[Holder]:
    """Let a meter remember one use in each of so many turns of an hour, for each key."""
    own = meter._own
    now = own.now()
    limits = Limits((Window(3600, 10**6),))
    holders = [Holder(f"key:{number}", limits) for number in range(keys)]
    for one in holders:
        ((_, window),) = own.book(one, now).windows
        for turn in range(now // 3600 - turns, now // 3600):
            window.move(turn)
            window.add(1)
        window.move(now // 3600)
    return holders
