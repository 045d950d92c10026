"""The one exception of the benchmark: a figure that could not be measured, and why."""


class UnmeasuredError(Exception):
    """The text says what went wrong and, where there is one, the command that puts it right."""
