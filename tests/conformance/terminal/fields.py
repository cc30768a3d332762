"""Typed access to a decoded map: a wrong type or an absent required key is `malformed`."""

from . import region
from .limits import Refused

UNSIGNED_MAX = 2**64 - 1
INSTANT_MIN, INSTANT_MAX = -(2**63), 2**63 - 1
ABSENT = object()


class Fields:
    """A map with unsigned keys; unknown keys are never looked at."""

    def __init__(self, value):
        if not isinstance(value, dict):
            raise Refused("malformed", "not a map")
        if not all(type(key) is int and key >= 0 for key in value):
            raise Refused("malformed", "a key that is no unsigned integer")
        self._map = value

    def _get(self, key, is_right, default):
        value = self._map.get(key, default)
        if value is default and default is not ABSENT:
            return default
        if value is ABSENT or not is_right(value):
            raise Refused("malformed", f"key {key}")
        return value

    def has(self, key):
        return key in self._map

    def unsigned(self, key, most=UNSIGNED_MAX, default=ABSENT):
        return self._get(key, lambda v: type(v) is int and 0 <= v <= most, default)

    def one_of(self, key, values, default=ABSENT):
        """An enumeration: an unknown value makes the message malformed."""
        return self._get(key, lambda v: type(v) is int and v in values, default)

    def instant(self, key, default=ABSENT):
        return self._get(
            key, lambda v: type(v) is int and INSTANT_MIN <= v <= INSTANT_MAX, default
        )

    def boolean(self, key, default=ABSENT):
        return self._get(key, lambda v: isinstance(v, bool), default)

    def text(self, key, default=ABSENT):
        return self._get(key, lambda v: isinstance(v, str), default)

    def bytes(self, key, size, default=ABSENT):
        return self._get(key, lambda v: isinstance(v, bytes) and len(v) == size, default)

    def array(self, key, default=ABSENT):
        return self._get(key, lambda v: isinstance(v, list), default)

    def region(self, key):
        return region.read(self._get(key, lambda v: type(v) is int, ABSENT))

    def terminal(self, key):
        return region.read_terminal(self.array(key))

    def stream(self, key):
        return read_stream(self.array(key))

    def sequence(self, key):
        return read_sequence(self.array(key))

    def inner(self, key):
        return Fields(self._get(key, lambda v: isinstance(v, dict), ABSENT))


def read_stream(value):
    if not isinstance(value, list) or len(value) != 2:
        raise Refused("malformed", "not a stream")
    return region.read(value[0]), region.read(value[1])


def read_sequence(value):
    if not isinstance(value, list) or len(value) != 2:
        raise Refused("malformed", "not a sequence")
    if not all(type(part) is int and 1 <= part <= UNSIGNED_MAX for part in value):
        raise Refused("malformed", "a sequence below 1")
    return tuple(value)


def integers(value, count):
    """An array of exactly so many integers."""
    if not isinstance(value, list) or len(value) != count:
        raise Refused("malformed", f"not an array of {count}")
    if not all(type(part) is int for part in value):
        raise Refused("malformed", "not integers")
    return value
