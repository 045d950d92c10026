"""The last decisions, kept in bounded memory so that each of them can be explained."""

from collections import OrderedDict

from infway.pipeline.course import Course


class Decisions:
    """At most `keep` requests, without their bodies, and what was decided; the oldest go first."""

    def __init__(self, keep: int = 1000) -> None:
        self.keep = keep
        self._courses: OrderedDict[str, Course] = OrderedDict()

    def add(self, course: Course) -> None:
        """Keep one more."""
        self._courses[course.ask.id] = course
        if len(self._courses) > self.keep:
            self._courses.popitem(last=False)

    def find(self, request_id: str) -> Course | None:
        """Return a request by its id, None where it is gone or never was."""
        return self._courses.get(request_id)

    def last(self, count: int) -> list[Course]:
        """Return the newest, newest first."""
        newest = reversed(self._courses.values())
        return [course for _, course in zip(range(count), newest, strict=False)]
