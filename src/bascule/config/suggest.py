"""Did you mean: the nearest known word."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be, or None."""
    by_fold = {name.casefold().replace("-", "_"): name for name in known}
    found = get_close_matches(word.casefold().replace("-", "_"), list(by_fold), n=1, cutoff=0.66)
    return by_fold[found[0]] if found else None


def remedy(word: str, known: Iterable[str], what: str) -> str:
    """`Did you mean X?`, or the list of what there is."""
    names = list(known)
    near = nearest(word, names)
    if near is not None:
        return f"Did you mean `{near}`?"
    if not names:
        return f"There is no {what} yet"
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"Known {what}s: {shown}"
