"""CBOR of untrusted bytes: walked and bounded before the library may build anything."""

import cbor2

from .limits import Refused

DEPTH_MAX = 16
FALSE, TRUE = 20, 21


def encode(value):
    """Shortest integers, definite lengths; keys in the order of the dict."""
    return cbor2.dumps(value)


def decode(data):
    """The one item of these bytes, or `malformed`."""
    end = _walk(data, 0, 0)
    if end != len(data):
        raise Refused("malformed", f"{len(data) - end} bytes after the message")
    try:
        return cbor2.loads(data)
    except (cbor2.CBORDecodeError, ValueError, TypeError) as error:
        raise Refused("malformed", str(error)) from error


def _head(data, at):
    if at >= len(data):
        raise Refused("malformed", "ends in the middle")
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if info < 24:
        return major, info, at
    if info > 27:
        raise Refused("malformed", "an indefinite or reserved length")
    size = 1 << (info - 24)
    if at + size > len(data):
        raise Refused("malformed", "ends in the middle")
    return major, int.from_bytes(data[at : at + size], "big"), at + size


def _walk(data, at, depth):
    """Where the item at `at` ends; nothing is allocated by a claimed length."""
    if depth > DEPTH_MAX:
        raise Refused("malformed", "nested too deeply")
    start = at
    major, argument, at = _head(data, at)
    if major in (0, 1):
        return at
    if major in (2, 3):
        if argument > len(data) - at:
            raise Refused("malformed", "a string longer than the message")
        return at + argument
    if major == 4:
        return _walk_many(data, at, argument, depth)
    if major == 5:
        return _walk_map(data, at, argument, depth)
    if major == 7 and argument in (FALSE, TRUE, 22) and data[start] < 0xF8:
        return at
    raise Refused("malformed", f"major type {major} has no place in a message")


def _walk_many(data, at, count, depth):
    if count > len(data) - at:
        raise Refused("malformed", "an array longer than the message")
    for _ in range(count):
        at = _walk(data, at, depth + 1)
    return at


def _walk_map(data, at, count, depth):
    if count > (len(data) - at) // 2:
        raise Refused("malformed", "a map longer than the message")
    keys = set()
    for _ in range(count):
        end = _walk(data, at, depth + 1)
        key = bytes(data[at:end])
        if key in keys:
            raise Refused("malformed", "a key twice in a map")
        keys.add(key)
        at = _walk(data, end, depth + 1)
    return at
