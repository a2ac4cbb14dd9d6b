"""Tokens that nobody has counted yet: for rate limits, and for `count_tokens` where no provider will."""

from bascule.decide.calibration import input_tokens, mean_output_tokens
from bascule.decide.estimate import EXPECTED_IMAGE_TOKENS, expected_input_tokens
from bascule.dialects.registry import count_body
from bascule.gateway.admission import Admitted
from bascule.gateway.calibrations import Calibrations
from bascule.gateway.respond import JSON, PRIVATE
from bascule.gateway.surfaces import SURFACES, provider_dialect
from bascule.model.plan import Plan
from bascule.ports import Header


def count_tokens_locally(
    request: Admitted, plan: Plan, calibrations: Calibrations
) -> tuple[list[Header], bytes] | None:
    """Headers and body of an estimated count; None where the first candidate's provider counts itself."""
    endpoint = plan.candidates[0].endpoint
    if provider_dialect(request.surface, endpoint) is not None:
        return None
    tokens = round(input_tokens(calibrations.of(endpoint.id), request.facts.text_bytes))
    tokens += len(request.facts.images) * EXPECTED_IMAGE_TOKENS
    headers = [
        JSON,
        PRIVATE,
        (b"x-bascule-request-id", request.request_id.encode("ascii")),
        (b"x-bascule-reason", b"estimated; this provider does not count tokens"),
    ]
    return headers, count_body(SURFACES[request.surface].dialect, tokens)


def likely_tokens(request: Admitted, plan: Plan, calibrations: Calibrations) -> int:
    """Input and output that a tokens-per-minute limit counts for a request that is about to be served."""
    calibration = calibrations.of(plan.candidates[0].endpoint.id)
    output = mean_output_tokens(calibration)
    wished = request.facts.max_tokens
    if wished is not None:
        output = min(output, wished)
    return expected_input_tokens(request.facts, calibration) + output * request.facts.n
