"""Plain words to fill requests with: what a benchmark sends has the size of the real thing, not its text."""

WORDS = (
    "Explain in plain words how a gateway meters requests, which counters it keeps for each key and why a hold is "
    "taken before a request leaves. "
)


def prose(chars: int) -> str:
    """As many characters of text."""
    return (WORDS * (chars // len(WORDS) + 1))[:chars]
