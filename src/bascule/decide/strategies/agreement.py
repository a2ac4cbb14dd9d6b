"""Whether two answers say the same: two cheap models that agree are right more often than either alone.

Self-consistency (Wang et al. 2022, arXiv 2203.11171), across models instead of samples.
"""

import re
from collections import Counter

from bascule.decide.grade import MAX_ANSWER_CHARS, numbers_in, plain
from bascule.decide.json_schema import json_in
from bascule.decide.strategies.acceptance import Checked
from bascule.model.strategy import Agreement

_WORD = re.compile(r"\w+")


def agreement(policy: Agreement, one: str, other: str) -> Checked:
    """What the policy's measure says of two answers; unknown where one of them has nothing to compare, or is a book."""
    if max(len(one), len(other)) > MAX_ANSWER_CHARS:
        return Checked("agreement", None, "an answer is too long to be compared")
    match policy.by:
        case "exact":
            return Checked("agreement", plain(one) == plain(other) != "", "the texts compared")
        case "json":
            return _json(one, other)
        case "numeric":
            first, second = numbers_in(one), numbers_in(other)
            if not first or not second:
                return Checked("agreement", None, "an answer has no number")
            return Checked("agreement", first[-1] == second[-1], f"{first[-1]} and {second[-1]}")
        case "words":
            common = overlap(one, other)
            return Checked("agreement", common >= policy.threshold, f"{common:.2f}, at least {policy.threshold:g}")


def _json(one: str, other: str) -> Checked:
    try:
        same = json_in(one) == json_in(other)
    except ValueError:
        return Checked("agreement", None, "an answer is not JSON")
    return Checked("agreement", same, "the JSON values compared")


def overlap(one: str, other: str) -> float:
    """The F1 of words in common, from 0 to 1; of texts without words 0."""
    first, second = Counter(_WORD.findall(one.casefold())), Counter(_WORD.findall(other.casefold()))
    common = sum((first & second).values())
    total = sum(first.values()) + sum(second.values())
    return 2 * common / total if common else 0.0
