"""How attempts end: faults and refusals of our own making, and what an ending means for the bill."""

from collections.abc import Mapping

from bascule.decide.meter import Ending
from bascule.dialects.base import ReplyFacts
from bascule.dialects.told import usage_told
from bascule.gateway.books import Ended
from bascule.gateway.relay import Relayed
from bascule.model.errors import Refusal
from bascule.model.outcome import Fault

CANCELLED = Fault(error_class="cancelled", message="the gateway stopped this attempt", maybe_billed=True)
NOT_SENT = Fault(error_class="cancelled", message="its intent could not be written, so nothing was sent")
CLIENT_GONE = Fault(error_class="client_gone", message="the client left", maybe_billed=True)
NOBODY_WAITS = Refusal(kind="upstream_failed", message="the client left", code="client_gone", status=499)


def upstream_id(headers: Mapping[str, str]) -> str | None:
    """The provider's own id of an exchange, from the headers that providers use."""
    for name in ("x-request-id", "request-id", "apim-request-id", "cf-ray"):
        if name in headers:
            return headers[name][:200]
    return None


def unsupported(refusal: Refusal) -> Fault:
    """A candidate that cannot be asked this, as a fault that `next_step` reads."""
    return Fault(
        error_class="unsupported" if refusal.kind == "unsupported" else "bad_request",
        message=refusal.message,
        code=refusal.code,
        param=refusal.param,
    )


def cut_short(fault: Fault) -> Refusal:
    """What a client is told in the middle of its stream."""
    return Refusal(
        kind="upstream_timeout" if fault.error_class.startswith("timeout") else "upstream_failed",
        message=f"the upstream's answer was cut short ({fault.error_class}): {fault.message}",
        code="upstream_" + fault.error_class,
    )


def unanswered(fault: Fault) -> Ending:
    """Nothing of an answer was understood: whether the provider may bill for it all the same."""
    return "unknown" if fault.maybe_billed else "failed"


def told_of_failure(provider_dialect: str, raw: bytes) -> ReplyFacts | None:
    """The usage that an error's body reports, which is billed like any other; None where it reports none.

    An error in a 200 may be billed for more than it reports, so that there it is a floor (`decide.meter`).
    """
    usage = usage_told(provider_dialect, raw)
    return None if usage.source == "none" else ReplyFacts(usage=usage)


def stream_ended(facts: ReplyFacts, relayed: Relayed) -> Ended:
    """A streamed attempt, as far as money is concerned."""
    fault = None if relayed.ending == "complete" else (relayed.fault or CLIENT_GONE)
    ending: Ending = "completed"
    if relayed.ending == "client_gone":
        ending = "client_gone"
    elif fault is not None:
        nothing_seen = facts.usage.source == "none" and facts.output_bytes == 0
        if nothing_seen:
            ending = unanswered(fault)
        elif fault.error_class == "protocol":
            ending = "unknown"  # behind what cannot be read, the provider may have sent and billed more
        else:
            ending = "cut"
    return Ended(
        ending=ending,
        reply=facts,
        status=200,
        fault=fault,
        first_ms=relayed.first_content_ms,
        upstream_request_id=facts.response_id,
    )
