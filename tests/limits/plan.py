"""What the replicas are measured with: short windows, so that many pass in a run."""

from infway.kernel.account import Limits, Window

PARTS = 4
KEYS = ("a", "b", "c")
LIMITS = Limits(
    requests=(Window(2, 40), Window(7, 100)),
    tokens=(Window(3, 5000),),
)
# Tries together are about as many as the limits let in; whoever tries more is let in less
BURSTS = (1, 2, 5, 24)
PAUSE = 1.3  # seconds between two bursts, at most
