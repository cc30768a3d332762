"""Commands and revocation lists: stop, its lifting, drill enrolment, keys that count no more."""

from . import acceptance, commands, limits, region, state, trust, window
from .limits import Refused

STOPS_MAX = 16


class Directions:
    """Belongs to the engine; writes through it."""

    def __init__(self, engine):
        self._engine = engine

    def on_command(self, topic, data):
        engine = self._engine
        opened = acceptance.open_command(data, engine, engine.trusted_now())
        command = commands.read(opened.payload)
        try:
            self._obey(topic, opened, command)
        except Refused as refused:
            raise refused.by(opened.key_id)

    def _obey(self, topic, opened, command):
        engine = self._engine
        acceptance.check_scope(opened, command, topic, engine.terminal)
        commands.check(command)
        seen = engine.state.window("command", command.stream)
        if seen.judge(command.sequence, opened.name) == window.DUPLICATE:
            return
        is_fresh = seen.is_above(command.sequence) and command.sent >= engine.state.floor
        engine.clock.learn(command.sent)
        if command.expires <= engine.clock.now():
            raise Refused("expired")
        if engine.clock.is_unsure and not is_fresh:
            raise Refused("below_window", "the clock is unsure")
        record = self._action(command, opened.key_id)
        records = [
            state.seen("command", command.stream, command.sequence, opened.name),
            {"do": "floor", "at": command.sent},
            engine.receipt(opened.name, None, limits.ACCEPTED),
            engine.receipt(opened.name, None, limits.VERIFIED),
        ]
        if record is None:
            records.append(engine.receipt(opened.name, None, limits.REFUSED, "out_of_area"))
        else:
            records.append(record)
        engine.journal.write(records)

    def _action(self, command, key_id):
        """The fact that a command makes, or None when it is not meant for this terminal."""
        if command.action == commands.STOP:
            stops = self._engine.state.stops
            is_known = any(stop[:2] == (command.region, command.level) for stop in stops)
            if len(stops) >= STOPS_MAX and not is_known:
                raise Refused("too_many_orders", "stops")
            if not region.contains(command.region, self._engine.terminal[0]):
                return None
            return {
                "do": "stop",
                "region": command.region,
                "level": command.level,
                "key": key_id.hex(),
            }
        if command.action == commands.LIFT:
            return {"do": "lift", "region": command.region, "level": command.level}
        if command.terminals and self._engine.terminal not in command.terminals:
            return None
        return {
            "do": "drill",
            "drill": command.drill,
            "authority": command.stream[0],
            "from": command.starts,
            "until": command.ends,
        }

    def on_revocations(self, _topic, data):
        """A higher number replaces a lower one; what a revoked key is sounding stops at once."""
        engine = self._engine
        number, _, keys = trust.open_revocations(data, engine.roots)
        if number <= engine.state.revocations:
            return
        record = {"do": "revocations", "number": number, "keys": [key.hex() for key in keys]}
        engine.journal.write([record])
        names = [name for name, kept in engine.state.orders.items() if kept.key_id in keys]
        engine.end_orders(names, "key_revoked", "key_revoked")
