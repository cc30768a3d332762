"""Commands: stop, lift a stop, enrol in a drill."""

from dataclasses import dataclass

from . import limits, region
from .fields import Fields, integers
from .limits import Refused

STOP, LIFT, DRILL = 0, 1, 2


@dataclass(frozen=True)
class Command:
    stream: tuple
    sequence: tuple
    level: int
    sent: int
    expires: int
    action: int
    region: int = 0
    reason: str = ""
    drill: str = ""
    terminals: tuple = ()
    starts: int = 0
    ends: int = 0


def read(value):
    """A command of this shape, or `malformed`."""
    fields = Fields(value)
    head = dict(
        stream=fields.stream(0),
        sequence=fields.sequence(1),
        level=fields.one_of(2, limits.LEVELS),
        sent=fields.instant(3),
        expires=fields.instant(4),
    )
    action = fields.array(5)
    if len(action) != 2 or not isinstance(action[1], list):
        raise Refused("malformed", "not an action")
    kind, content = action
    if kind == STOP and len(content) == 2 and isinstance(content[1], str):
        return Command(action=STOP, region=region.read(content[0]), reason=content[1], **head)
    if kind == LIFT and len(content) == 1:
        return Command(action=LIFT, region=region.read(content[0]), **head)
    if kind == DRILL and len(content) == 4 and isinstance(content[0], str):
        starts, ends = integers(content[2:], 2)
        if not isinstance(content[1], list):
            raise Refused("malformed", "not a list of terminals")
        terminals = tuple(region.read_terminal(each) for each in content[1])
        return Command(
            action=DRILL, drill=content[0], terminals=terminals, starts=starts, ends=ends, **head
        )
    raise Refused("malformed", "an unknown action")


def check(command):
    """Raise `invalid` for the first broken rule."""
    rules = [
        (command.level == region.level(command.stream[0]), "level"),
    ]
    if command.action in (STOP, LIFT):
        if not region.contains(command.stream[0], command.region):
            raise Refused("out_of_scope", "a stop outside the authority's region")
    if command.action == STOP:
        rules.append((len(command.reason.encode()) <= limits.STOP_REASON_BYTES_MAX, "reason"))
    if command.action == DRILL:
        span = command.ends - command.starts
        rules.append((0 <= span <= limits.DRILL_WINDOW_MAX, "window"))
        rules.append((1 <= len(command.drill.encode()) <= limits.DRILL_BYTES_MAX, "drill"))
    for is_kept, field in rules:
        if not is_kept:
            raise Refused("invalid", field)
