"""Which language a text is in, by its script or its small words: a cheap guess, `unknown` where it is none. Pure.

For rules such as `language == "de"`. It tells apart what can be told by script (Chinese, Japanese, Korean, Russian and
its kin, Arabic, Hebrew, Greek, Hindi, Thai) and seven languages of Latin script by their commonest words; a short text,
a mixed one or code is `unknown`.
"""

import re

_HEAD_CHARS = 400
_LEAST_WORDS = 2
_WORDS = re.compile(r"[a-zà-öø-ÿßœ]+")
_SMALL: dict[str, frozenset[str]] = {
    "en": frozenset(
        [
            "the",
            "and",
            "of",
            "to",
            "is",
            "are",
            "that",
            "this",
            "with",
            "for",
            "what",
            "how",
            "you",
            "please",
            "was",
            "it",
            "on",
            "can",
        ]
    ),
    "de": frozenset(
        [
            "der",
            "die",
            "das",
            "und",
            "ist",
            "nicht",
            "ein",
            "eine",
            "mit",
            "für",
            "auf",
            "wie",
            "ich",
            "sie",
            "bitte",
            "den",
            "von",
            "zu",
            "im",
        ]
    ),
    "fr": frozenset(
        [
            "le",
            "la",
            "les",
            "et",
            "est",
            "une",
            "des",
            "dans",
            "pour",
            "que",
            "qui",
            "avec",
            "sur",
            "vous",
            "je",
            "du",
            "ce",
            "pas",
            "au",
        ]
    ),
    "es": frozenset(
        [
            "el",
            "la",
            "los",
            "las",
            "y",
            "es",
            "una",
            "que",
            "para",
            "con",
            "por",
            "del",
            "como",
            "cómo",
            "qué",
            "esta",
            "se",
            "un",
        ]
    ),
    "it": frozenset(
        [
            "il",
            "lo",
            "gli",
            "e",
            "è",
            "una",
            "che",
            "per",
            "con",
            "del",
            "della",
            "come",
            "questo",
            "non",
            "sono",
            "di",
            "un",
        ]
    ),
    "pt": frozenset(
        [
            "o",
            "os",
            "as",
            "e",
            "é",
            "uma",
            "que",
            "para",
            "com",
            "por",
            "do",
            "da",
            "como",
            "não",
            "em",
            "um",
            "você",
            "se",
        ]
    ),
    "nl": frozenset(
        [
            "de",
            "het",
            "een",
            "en",
            "is",
            "van",
            "niet",
            "met",
            "voor",
            "op",
            "dat",
            "hoe",
            "wat",
            "ik",
            "zijn",
            "te",
            "aan",
        ]
    ),
}
_SCRIPTS: tuple[tuple[str, int, int], ...] = (
    ("ja", 0x3040, 0x30FF),
    ("ko", 0xAC00, 0xD7AF),
    ("zh", 0x4E00, 0x9FFF),
    ("ru", 0x0400, 0x04FF),
    ("ar", 0x0600, 0x06FF),
    ("he", 0x0590, 0x05FF),
    ("el", 0x0370, 0x03FF),
    ("hi", 0x0900, 0x097F),
    ("th", 0x0E00, 0x0E7F),
)


def language_of(text: str) -> str:
    """An ISO 639-1 code, or `unknown`. Some tens of microseconds; only the first 400 characters are read."""
    head = text[:_HEAD_CHARS]
    if not head.isascii() and (found := _by_script(head)) is not None:
        return found
    words = _WORDS.findall(head.lower())
    hits = {code: sum(word in small for word in words) for code, small in _SMALL.items()}
    best, *others = sorted(hits, key=lambda code: -hits[code])
    clear = hits[best] >= _LEAST_WORDS and hits[best] > hits[others[0]] and hits[best] * 8 >= len(words)
    return best if clear else "unknown"


def _by_script(text: str) -> str | None:
    """The script of a third of the letters or more. Kana among Han is Japanese, so it is looked for first."""
    letters = [ord(char) for char in text if char.isalpha()]
    counts = {code: sum(low <= at <= high for at in letters) for code, low, high in _SCRIPTS}
    if counts["ja"] * 10 >= len(letters) and counts["ja"]:
        return "ja"
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] * 3 >= len(letters) and counts[best] else None
