"""Where a request stands that waits in the queue until an offer can take it."""


class Place:
    """The place of one request, kept up to date while it waits.

    `priority`: lower goes first. `position`: how many were before it, itself included, when it
    began to wait; 0 where it did not. `waited`: seconds, None until it is known.
    """

    __slots__ = ("position", "priority", "waited")

    def __init__(self, priority: int) -> None:
        self.priority = priority
        self.position = 0
        self.waited: float | None = None
