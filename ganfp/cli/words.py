"""Between what people type and read, and values."""

import json


def plain(text: str):
    """A number, true or false if the text is one; the text itself otherwise."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def printable(text: str) -> str:
    """The text, lines kept, with nothing in it that would steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    units = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
    unit = next((unit for unit, length in units.items() if seconds >= 1.5 * length), "second")
    count = round(seconds / units[unit])
    return f"{count} {unit}{'s' if count != 1 else ''}"


def takes(cost) -> str:
    """The time of a profile's cost; "about" where it was not measured."""
    return f"{'' if cost.measured else 'about '}{duration(cost.seconds)}"


def size(count: float) -> str:
    """Bytes as people say them."""
    for unit, length in (("GB", 1e9), ("MB", 1e6)):
        if count >= length:
            return f"{count / length:.0f} {unit}"
    return f"{count / 1e3:.0f} kB"


def line(text) -> str:
    """:func:`printable`, in one line: a file's name may hold anything."""
    return printable(str(text)).replace("\n", "\N{REPLACEMENT CHARACTER}")


def cell(text: str) -> str:
    """The text as a field of a CSV that no spreadsheet takes for a formula: quoted by an apostrophe, as they do."""
    return f"'{text}" if text[:1] in tuple("=+-@\t\r\n|%") else text
