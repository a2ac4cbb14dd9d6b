"""What an upstream call consumed, in disjoint buckets.

Every dialect maps its wire usage to this record once. `None` means that the provider did not say; zero means
that it said zero. Billed input is `tokens_in` plus the cache buckets, billed output is `tokens_out` plus
`tokens_reasoning`; audio and image tokens stand beside them, never inside.
"""

from typing import Literal

from msgspec import Struct

UsageSource = Literal["reported", "counted", "estimated", "none"]


class Usage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Disjoint token buckets of one attempt, with where they come from and what was odd about them."""

    tokens_in: int | None = None
    tokens_cache_read: int | None = None
    tokens_cache_write_5m: int | None = None
    tokens_cache_write_1h: int | None = None
    tokens_out: int | None = None
    tokens_reasoning: int | None = None
    tokens_audio_in: int | None = None
    tokens_audio_out: int | None = None
    tokens_image_in: int | None = None
    tokens_image_out: int | None = None
    web_searches: int | None = None
    service_tier: str | None = None
    """The tier that the provider says it used (`batch`, `priority`, `flex`, `standard`, …)."""
    inference_geo: str | None = None
    """Where the provider says that the model ran (Anthropic: `us`, `global`), which may cost more."""
    source: UsageSource = "none"
    flags: tuple[str, ...] = ()
    """What was odd: `negative`, `clamped`, `not_a_number`, `zero`, `cached_exceeds_prompt`, …"""
    raw: str | None = None
    """The provider's own usage object as JSON text, kept so that any line can be judged again."""
    provider_cost_nanousd: int | None = None
    """What the provider itself says the call cost (OpenRouter); for reconciliation, never for pricing."""

    @property
    def billed_input(self) -> int:
        return (
            (self.tokens_in or 0)
            + (self.tokens_cache_read or 0)
            + (self.tokens_cache_write_5m or 0)
            + (self.tokens_cache_write_1h or 0)
        )

    @property
    def tier_input(self) -> int:
        """All input tokens of whatever class: what providers compare with the edge of a long-context tier."""
        return self.billed_input + (self.tokens_audio_in or 0) + (self.tokens_image_in or 0)

    @property
    def billed_output(self) -> int:
        return (self.tokens_out or 0) + (self.tokens_reasoning or 0)

    @property
    def all_tokens(self) -> int:
        """In and out, of whatever class."""
        return self.tier_input + self.billed_output + (self.tokens_audio_out or 0) + (self.tokens_image_out or 0)


NO_USAGE = Usage()
