"""How long a sound is: told by its head or by its subtitles, guessed from its size else."""

import re

from infway.kernel.form import Length

_USUAL = 16_000  # bytes a second of an MP3 of 128 kbit/s
_CHARACTERS = 15  # spoken in a second: 150 words a minute, of six letters and spaces
_LONGEST = 10**9  # milliseconds: more is no duration but a mistake
_LAST_CUE = re.compile(rb"--> *(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[,.](\d{3})")
_MOST_CHUNKS = 64  # of a WAV file before its sound: tags and the like, a handful as a rule
_TAIL = 4096  # bytes of subtitles in which the last cue stands


def length_of(sound: bytes) -> Length:
    """Return how long a sound is that was sent as a file."""
    exact = _wave(sound)
    return Length(len(sound) * 1000 // _USUAL, guessed=True) if exact is None else exact


def length_spoken(characters: int) -> int:
    """Return about how many milliseconds a text takes to be read out."""
    return characters * 1000 // _CHARACTERS


def length_told(subtitles: bytes) -> int | None:
    """Return the milliseconds at which the last cue of SRT or VTT ends, None where there is none."""
    cues = _LAST_CUE.findall(subtitles[-_TAIL:])
    if not cues:
        return None
    hours, minutes, seconds, rest = (int(number or 0) for number in cues[-1])
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def milliseconds(seconds: object) -> int | None:
    """Return a duration that was told in seconds, as a number or a text; None where it is none."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float | str):
        return None
    try:
        told = float(seconds) * 1000
    except (ValueError, OverflowError):
        return None
    return round(told) if 0 <= told <= _LONGEST else None


def _wave(sound: bytes) -> Length | None:
    """Read the head of a WAV file: bytes a second, and how many there are.

    RIFF, Multimedia Programming Interface and Data Specifications 1.0.
    """
    if sound[:4] != b"RIFF" or sound[8:12] != b"WAVE":
        return None
    at, rate = 12, 0
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(sound):
            break
        size = int.from_bytes(sound[at + 4 : at + 8], "little")
        if sound[at : at + 4] == b"fmt ":
            rate = int.from_bytes(sound[at + 16 : at + 20], "little")
        elif sound[at : at + 4] == b"data":
            held = min(size, len(sound) - at - 8)  # what was written live tells no size
            return Length(held * 1000 // rate, guessed=False) if rate else None
        at += 8 + size + size % 2
    return None
