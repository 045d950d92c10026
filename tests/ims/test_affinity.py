"""The memory of warm prompt caches."""

from infway.ims.affinity import Affinity, Warm


def test_the_longest_unused_is_forgotten_first() -> None:
    memory = Affinity(life=300.0, most=2)
    for value in (1, 2, 1, 3):
        memory.served(value, Warm(0, 0.0, 10))
    assert len(memory) == 2
    assert memory.warm(2, 0.0) is None
    assert memory.warm(1, 0.0) == Warm(0, 0.0, 10)


def test_a_cache_is_warm_for_its_life_and_no_longer() -> None:
    memory = Affinity(life=300.0, most=2)
    memory.served(1, Warm(4, 100.0, 10))
    assert memory.warm(1, 400.0) is not None
    assert memory.warm(1, 400.1) is None


def test_what_is_new_is_told_once_and_what_is_heard_never() -> None:
    memory = Affinity(life=300.0, most=10, share=True)
    memory.served(1, Warm(0, 1.0, 10))
    memory.learn(2, Warm(1, 2.0, 10))
    assert memory.news(10) == [(1, Warm(0, 1.0, 10))]
    assert memory.news(10) == []
    assert memory.latest(1) == [(2, Warm(1, 2.0, 10))]
