"""A round of a group's trainings: a short piece of each in turn here, or longer ones at once on a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lstm_explorer.core.inputs import TableLike
from lstm_explorer.runs.scheduler import Scheduler, Trouble, scheduler
from lstm_explorer.runs.training.member import Member, trained_further

if TYPE_CHECKING:
    from lstm_explorer.runs.cluster.link import Link

#: Seconds that a piece takes on a cluster: weights and optimizer travel with it. And that one is waited for at a time,
#: before the group's orders are looked at again.
_AWAY, _LOOK = 2.0, 0.1


class Rounds:
    """Trains the networks of a group, round by round.

    Args:
        members: The networks.
        table: The reader's own table.

    Attributes:
        workers: Workers of the cluster that has trained them; 0 where all was done here.
        trouble: Why the cluster that the server is set to use does nothing now.
        at_once: How many networks train at a time.
    """

    def __init__(self, members: Sequence[Member], table: TableLike | None) -> None:
        """Begin here: a cluster is asked for with every round."""
        self.workers, self.at_once = 0, 1
        self.trouble: Trouble = ""
        self._members, self._table = members, table
        self._under_way: dict[int, Any] = {}
        self._link: Link | None = None
        self._shared: Any = None

    def round(self) -> Iterator[Member]:
        """Train for a while; yield every network that is further than before."""
        named = scheduler()
        link = named.link() if named else None
        if named is None or link is None:
            yield from self._here()
        else:
            yield from self._on(link, named)
        self.trouble = named.trouble if named else ""

    def _here(self) -> Iterator[Member]:
        self._under_way.clear()
        self.at_once = 1
        for member in self._members:
            member.advance()
            yield member

    def _on(self, link: Link, named: Scheduler) -> Iterator[Member]:
        """Take what has arrived; what is lost, or fails there, goes on here from where it was."""
        from lstm_explorer.runs.cluster.link import FailedError, LostError  # there is a link, so they can be imported

        if self._link is not link:
            self._under_way.clear()
            self._link, self._shared = link, None
        self.at_once = max(1, link.threads)
        try:
            self._hand_over(link)
            arrived = self._arrived(link)
            self._hand_over(link)
        except LostError as error:
            named.give_up("silent", error)
            yield from self._here()
        except FailedError as error:
            yield from self._here()  # where it is the training itself that fails, it does so here too
            named.give_up("unfit", error)
        else:
            yield from arrived

    def _hand_over(self, link: Link) -> None:
        for member in self._members:
            if not member.over and member.which not in self._under_way:
                if self._shared is None and self._table is not None:
                    self._shared = link.shared(self._table)
                arguments = (member.training, self._shared, *member.next_piece(_AWAY))
                self._under_way[member.which] = link.submit(trained_further, *arguments)

    def _arrived(self, link: Link) -> list[Member]:
        arrived, seconds = [], _LOOK
        for member in self._members:
            if member.which in self._under_way:
                further = link.answer(self._under_way[member.which], seconds)
                seconds = 0.0
                if further is not None:
                    del self._under_way[member.which]
                    member.take(further)
                    self.workers = link.workers
                    arrived.append(member)
        return arrived
