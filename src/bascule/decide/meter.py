"""What an attempt consumed, once it has ended: the provider's word where it gave one, else an estimate.

Reported usage is taken as it is, a reported zero included: nothing is guessed over the truth. (What a strict budget
gives back for it is another question: `is_bound`.) An estimate is never
below what the provider had reported by then, and leans 5 % up, because a row must not be below what was billed.
"""

from math import ceil
from typing import Literal

from msgspec import structs

from bascule.decide.calibration import Calibration, input_tokens, output_tokens_per_byte
from bascule.decide.estimate import EXPECTED_IMAGE_TOKENS
from bascule.model.facts import Facts
from bascule.model.usage import Usage

Ending = Literal["completed", "cut", "client_gone", "failed", "unknown"]
"""`completed`: the provider said so. `cut`: the answer broke off. `client_gone`: we stopped reading because the client
left. `failed`: an error status, or never sent. `unknown`: it was sent, and what came back does not tell the end."""

ASTRONOMIC_TOKENS = 1_000_000_000
"""Where the dialects cut a count that they do not believe."""
LEAN = 1.05
PLAUSIBLE_SHORTFALL = 0.85
"""A partial count this near to the estimate is the truth as far as an estimate can tell."""
PARTIAL = "partial"
"""A flag: counts from the middle of an answer, that its end did not confirm."""
UNKNOWN_BILL = Usage(source="estimated", flags=("unknown_bill",))
NOT_BILLED = Usage()


def settle_usage(
    usage: Usage,
    *,
    output_bytes: int,
    facts: Facts,
    ending: Ending,
    calibration: Calibration,
) -> Usage:
    """The usage that is settled. `output_bytes`: UTF-8 bytes of generated text, reasoning and tool arguments seen.

    `UNKNOWN_BILL` (no tokens, flag `unknown_bill`) means that the attempt costs its hold; `NOT_BILLED` (source
    `none`) that it costs 0: see `bill`. An estimate that builds on part of the provider's word has flag `partial`.
    A report with a negative or an astronomic count is not believed at all; its flags and its text stay on the row.
    """
    if usage.source != "none" and _is_absurd(usage):
        # A negative or an astronomic count is nobody's bill. Believed, the one would lift a cap and the other spend it.
        usage = structs.replace(
            NOT_BILLED,
            flags=usage.flags,
            raw=usage.raw,
            service_tier=usage.service_tier,
            inference_geo=usage.inference_geo,
        )
    reported = usage.source != "none"
    if not reported and ending == "failed":
        return NOT_BILLED
    told = usage.tokens_in is not None and usage.tokens_out is not None and PARTIAL not in usage.flags
    if ending == "unknown" and not (reported and told):
        return UNKNOWN_BILL
    if reported and told and ending in ("completed", "failed"):
        return usage
    return _estimated(usage, output_bytes, facts, ending, calibration)


def bill(usage: Usage) -> Literal["usage", "hold", "nothing"]:
    """How a settled usage is charged: priced by its buckets, at the hold, or not at all."""
    if usage.source == "none":
        return "nothing"
    return "hold" if "unknown_bill" in usage.flags else "usage"


def is_bound(usage: Usage, output_bytes: int) -> bool:
    """Whether what a settled usage costs is the most that it can have cost, so that a strict budget may have back the
    rest of what was held. An estimate is not; nor is a report of no output for an answer that can be seen.
    """
    if usage.source == "estimated":
        return False
    return (
        not output_bytes
        or usage.source != "reported"
        or bool(usage.billed_output or usage.tokens_audio_out or usage.tokens_image_out)
    )


def _is_absurd(usage: Usage) -> bool:
    """A count that cannot be one, cut to the limit or reported at it; or buckets that only together come to that."""
    return "negative" in usage.flags or max(usage.all_tokens, usage.web_searches or 0) >= ASTRONOMIC_TOKENS


def _estimated(usage: Usage, output_bytes: int, facts: Facts, ending: Ending, calibration: Calibration) -> Usage:
    """Fill in what is missing; where the answer broke off, a count that cannot be the last one is raised."""
    completed = ending == "completed" and PARTIAL not in usage.flags
    known_in, known_out = usage.tokens_in, usage.tokens_out
    tokens_in, tokens_out = known_in, known_out
    if known_in is None:
        text = ceil(LEAN * input_tokens(calibration, facts.text_bytes)) + len(facts.images) * EXPECTED_IMAGE_TOKENS
        tokens_in = max(0, text - usage.tier_input)
    output = ceil(LEAN * output_bytes * output_tokens_per_byte(calibration))
    if known_out is None and usage.tokens_reasoning is None and usage.tokens_audio_out is None:
        if output or usage.source == "none" or not completed:
            tokens_out = output
    elif not completed and usage.billed_output < PLAUSIBLE_SHORTFALL * output:
        tokens_out = output - (usage.tokens_reasoning or 0)
    if completed and tokens_in == known_in and tokens_out == known_out:
        return usage
    flags = usage.flags if usage.source == "none" or PARTIAL in usage.flags else (*usage.flags, PARTIAL)
    return structs.replace(
        usage,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        source="estimated",
        flags=flags,
        # What was asked for is what it costs, unless the provider said otherwise.
        inference_geo=usage.inference_geo or facts.inference_geo,
    )
