"""Sequences of one stream: order of arrival means nothing, a number is used once."""

from .limits import SEQUENCE_WINDOW, Refused

NEW, DUPLICATE = "new", "duplicate"
EPOCHS_MAX = 2


class Window:
    """Of the two newest epochs, the highest number and the digests of those just below it."""

    def __init__(self):
        self.epochs = {}

    def judge(self, sequence, name):
        """NEW, DUPLICATE, or a refusal; nothing is changed."""
        epoch, number = sequence
        if epoch not in self.epochs:
            if len(self.epochs) == EPOCHS_MAX and epoch < min(self.epochs):
                raise Refused("below_window", "an older epoch")
            return NEW
        seen = self.epochs[epoch]
        if number in seen:
            if seen[number] == name:
                return DUPLICATE
            raise Refused("tampered", f"number {number} has other bytes")
        if number + SEQUENCE_WINDOW < max(seen):
            raise Refused("below_window", f"number {number}, highest {max(seen)}")
        return NEW

    def note(self, sequence, name):
        """Remember a number that is used up."""
        epoch, number = sequence
        seen = self.epochs.setdefault(epoch, {})
        seen[number] = name
        lowest = max(seen) - SEQUENCE_WINDOW
        self.epochs[epoch] = {n: d for n, d in seen.items() if n >= lowest}
        while len(self.epochs) > EPOCHS_MAX:
            del self.epochs[min(self.epochs)]

    def head(self):
        """The highest sequence seen, or None."""
        if not self.epochs:
            return None
        epoch = max(self.epochs)
        return epoch, max(self.epochs[epoch])

    def is_above(self, sequence):
        head = self.head()
        return head is None or sequence > head

    def seen(self):
        """Everything remembered: (sequence, name)."""
        for epoch, seen in sorted(self.epochs.items()):
            for number, name in sorted(seen.items()):
                yield (epoch, number), name
