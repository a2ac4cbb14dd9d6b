"""What is looked for in requests. Numbers count only where their check digits are right, which `python-stdnum` judges.

Every pattern is bounded and has no repetition inside a repetition that could match the same text in two ways, so that
a search takes time in proportion to the text.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec

from bascule.decide.protect import Recogniser

_CREDENTIALS = (
    ("private key", "-----BEGIN", r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[A-Za-z0-9+/=\s]{0,8000}"
                                        r"(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?"),
    ("AWS key", "AKIA ASIA", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("API key", "sk- sk_ rk- rk_ xai- xai_ nvapi pplx fw- fw_",
     r"\b(?:sk|rk|bsk|gsk|xai|csk|nvapi|pplx|fw)[-_][A-Za-z0-9_-]{20,200}"),
    ("Google key", "AIza", r"\bAIza[A-Za-z0-9_-]{35}\b"),
    ("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
     r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{50,255})\b"),
    ("GitLab token", "glpat-", r"\bglpat-[A-Za-z0-9_-]{20,64}"),
    ("Slack token", "xox", r"\bxox[abeprs]-[A-Za-z0-9-]{10,250}"),
    ("package token", "pypi-AgEI npm_ hf_",
     r"\b(?:pypi-AgEI[A-Za-z0-9_-]{50,250}|npm_[A-Za-z0-9]{36}|hf_[A-Za-z0-9]{30,40})\b"),
    ("JWT", "eyJ", r"\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}"),
)  # fmt: skip
"""Name; what one of must be in the text (`Recogniser.hints`); the pattern."""

_EMAIL = r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}"
_TELEPHONE = r"(?<![\w+])\+[1-9]\d{0,2}[ .()/-]{0,2}\d(?:[ .()/-]{0,2}\d){6,12}(?!\w)"


@lru_cache(maxsize=1)
def recognisers() -> tuple[Recogniser, ...] | None:
    """All of them; None where the extra `protection` is missing."""
    if find_spec("stdnum") is None:
        return None
    from stdnum import iban, luhn
    from stdnum.es import dni
    from stdnum.it import codicefiscale
    from stdnum.us import ssn

    def is_card(text: str) -> bool:
        digits = re.sub(r"\D", "", text)
        return 13 <= len(digits) <= 19 and bool(luhn.is_valid(digits))

    def personal(name: str, pattern: str, holds: Callable[[str], bool], *hints: str) -> Recogniser:
        return Recogniser(name, "personal", re.compile(pattern), holds, hints)

    return (
        *[
            Recogniser(name, "secrets", re.compile(shape), _always, tuple(hints.split()))
            for name, hints, shape in _CREDENTIALS
        ],
        personal("bank account", r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", iban.is_valid),
        personal("payment card", r"(?<![\w.-])[2-6]\d{3}(?:[ -]?\d){9,15}(?![\w-])", is_card),
        personal(
            "e-mail address",
            r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}",
            _always,
        ),
        personal("US social security number", r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])", ssn.is_valid),
        personal("Italian tax number", r"\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b", codicefiscale.is_valid),
        personal("Spanish identity number", r"\b\d{8}-?[A-Z]\b", dni.is_valid),
        personal(
            "telephone number", r"(?<![\w+])\+[1-9]\d{0,2}[ .()/-]{0,2}\d(?:[ .()/-]{0,2}\d){6,12}(?!\w)", _always
        ),
    )


def _always(text: str) -> bool:
    """Its form alone says what it is."""
    return True
