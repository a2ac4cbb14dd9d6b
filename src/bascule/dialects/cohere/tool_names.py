"""Tool names as Cohere takes them: letters, digits and underscores, no digit in front (it says so in its 400)."""

from bascule.dialects.names import word_name

NAME_CHARS = 64


def fit_name(name: str) -> str:
    """The given name wherever it fits."""
    return word_name(name, NAME_CHARS)
