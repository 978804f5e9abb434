"""A link without a cluster: what a page or a training does with one, at no cost."""

from __future__ import annotations


class HereLink:
    """Calls what is submitted when it is asked for the answer, in this process.

    Attributes:
        submitted: What was handed over, in order.
        held: Whether nothing arrives.
        raises: What an answer raises.
    """

    def __init__(self, threads=2):
        self.workers = self.threads = threads
        self.submitted, self.held, self.raises, self.closed = [], False, None, False

    def count(self):
        pass

    def close(self):
        self.closed = True

    def shared(self, value):
        return value

    def submit(self, function, *arguments, priority=0):
        self.submitted.append(arguments)

        def call():
            return function(*(one() if callable(one) else one for one in arguments))

        return call

    def answer(self, future, seconds=0.0):
        if self.raises is not None:
            raise self.raises
        return None if self.held else future()


class Named:
    """A scheduler that is connected at once."""

    def __init__(self, link, trouble=""):
        self.found, self.trouble, self.reasons = link, trouble, []

    def link(self):
        return None if self.trouble else self.found

    def give_up(self, trouble, reason):
        self.trouble = trouble
        self.reasons.append(str(reason))
