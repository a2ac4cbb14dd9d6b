"""Money that is held at once for several calls of one request, before the first of them is sent."""

from bascule.gateway.books import Books
from bascule.model.budget import Hold


class Purse:
    """A hold of which each call takes its part. What no call took is given back in the end, by `close`."""

    def __init__(self, books: Books, hold: Hold) -> None:
        self._books = books
        self._hold = hold

    def take(self, attempt_id: str, amount_nanousd: int | None) -> Hold | None:
        """The hold of an attempt; None where there is not so much left, so that it must be held anew."""
        left = self._hold.amount_nanousd
        if amount_nanousd is None or left is None or amount_nanousd > left:
            return None
        part, self._hold = self._books.split(self._hold, attempt_id, amount_nanousd)
        return part

    def close(self) -> None:
        """Give back what is left. No call may take of it any more."""
        self._books.release(self._hold)
