"""What an answer is for, and what it must and must not be. `decide.output_contract` checks it."""

from typing import Any

from msgspec import Struct


class OutputContract(Struct, frozen=True, kw_only=True, tag="output_contract", omit_defaults=True):
    """The score is the share of its rules that an answer keeps; it passes where it keeps all."""

    objective: str | None = None
    audience: str | None = None
    schema: dict[str, Any] | None = None
    """The answer is JSON of this schema. Needs the extra `evaluation`."""
    min_words: int | None = None
    max_words: int | None = None
    sections: tuple[str, ...] = ()
    """Headings that it must have, each on a line of its own, in this order."""
    required: tuple[str, ...] = ()
    """Words of policy that it must have."""
    forbidden: tuple[str, ...] = ()
    """Words that it must not have; as whole words, whatever their case."""
    sources: tuple[str, ...] = ()
    """Texts; figures, days and quotations of the answer must stand in one of them."""
    from_request: bool = False
    """What was asked is a source too, as where documents stand in the prompt."""
    allowed: tuple[str, ...] = ()
    """What may be claimed without a source."""
    judge: bool = False
    """Ask a judge as well, by `criteria`, once the rules are kept."""
