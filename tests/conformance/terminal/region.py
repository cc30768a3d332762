"""Region codes and terminal ids."""

from .limits import TERMINALS_PER_VILLAGE_MAX, Refused

# Digits that each level adds, and the level that a code of so many digits has.
WIDTHS = ((4, 1), (6, 2), (9, 3), (12, 4))


def read(code):
    """A region code that is one, or `malformed`."""
    if type(code) is not int or not 10**11 <= code < 10**12:
        raise Refused("malformed", "not a region code")
    level(code)
    return code


def level(code):
    """1 city, 2 district, 3 town, 4 village; a gap or a wider code is refused."""
    text = f"{code:012d}"
    parts = (text[:2], text[2:4], text[4:6], text[6:9], text[9:])
    filled = [int(part) != 0 for part in parts]
    depth = filled.index(False) if False in filled else 5
    if any(filled[depth:]) or depth < 2:
        raise Refused("malformed", f"{text} has a gap or is above a city")
    return depth - 1


def contains(wide, narrow):
    """Whether the non-zero part of `wide` is a prefix of `narrow`."""
    width = dict((lvl, digits) for digits, lvl in WIDTHS)[level(wide)]
    return f"{wide:012d}"[:width] == f"{narrow:012d}"[:width]


def ancestors(village):
    """The village, its town, its district, its city."""
    text = f"{village:012d}"
    return [int(text[:digits].ljust(12, "0")) for digits, _ in reversed(WIDTHS)]


def read_terminal(pair):
    """`[village, number]`, or `malformed`."""
    if not isinstance(pair, list) or len(pair) != 2:
        raise Refused("malformed", "not a terminal id")
    village, number = read(pair[0]), pair[1]
    if level(village) != 4:
        raise Refused("malformed", "a terminal outside a village")
    if type(number) is not int or not 1 <= number <= TERMINALS_PER_VILLAGE_MAX:
        raise Refused("malformed", "a terminal number out of 1 to 1,024")
    return village, number


def parse_terminal(text):
    village, number = text.split("-")
    return read_terminal([int(village), int(number)])


def terminal_text(terminal):
    return f"{terminal[0]:012d}-{terminal[1]:04d}"
