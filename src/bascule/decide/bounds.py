"""How many input tokens a request can cost at most: INTERFACE, "Bounds", strict.

A byte-level tokenizer never makes more tokens than there are UTF-8 bytes; constants cover what the provider wraps
around messages and tools; an image costs what its pixels cost by the provider's published rule. What has no bound is
refused, with what to do about it.
"""

from bascule.model.catalog import BoundFacts, Endpoint
from bascule.model.errors import Refusal
from bascule.model.facts import Facts, ImageFact

WEB_ROUNDS = 11
"""Anthropic's loop around its own tools ends after 10 rounds with `pause_turn` (docs, "Server tools": default limit),
and each round reads the whole context again. One more for good measure."""

_OPENAI_BASE_TOKENS, _OPENAI_TILE_TOKENS = 2_833, 5_667
"""gpt-4o-mini, the dearest of OpenAI's models with tiles of 512 pixels; gpt-4o takes 85 and 170."""
_OPENAI_PATCHES, _OPENAI_PATCH_PERCENT = 10_000, 246
"""Most patches of 32 pixels (detail `original`) and the dearest multiplier (gpt-4.1-nano, gpt-5-nano: 2.46)."""
_REMEDIES = {
    "image_url": "send images as base64",
    "image_file": "send images as base64",
    "file": "send documents as text",
    "audio": "send a transcript",
    "prediction": "send the predicted text as text",
    "reasoning.id": "send reasoning with its `encrypted_content` (`include` asks for it)",
    "input": "embed texts, or lists of token numbers",
    "web_search": "search elsewhere and send the results, or name a tool that takes `max_uses`",
}

_THINKING_REMEDY = (
    "send `thinking_budget` or `enable_thinking: false`, for `max_tokens` does not limit thinking there; or state the "
    "model's `context_window`, or `reasoning: false` where it does not think"
)
_TOKENS_ALONE = frozenset(
    {"image_url", "image_file", "audio", "video", "image", "prediction", "thinking_budget", "options", "compaction"}
    | {"input", "reasoning.id", "prompt_cache_options.ttl", "prompt_cache_breakpoint.ttl"}
)
"""What has no bound because nobody knows how many tokens it makes, but costs nothing beside them."""
_FEE_REMEDY = (
    "only tokens are known to be free there: leave it out, or say `data: {region: local}` of a server that is your own"
)
_FEE_REMEDIES = {"web_search": f"{_FEE_REMEDY}, or state `price.web_search_usd`"}
_UNASKED_REMEDY = (
    "this model is billed for it unasked: choose another, or state a price that covers it (`price.request_usd`)"
)


def input_bound_tokens(facts: Facts, bounds: BoundFacts, context_window: int | None = None) -> int | Refusal:
    """No provider that `bounds` is true of bills more input tokens. A Refusal names what has no bound.

    `context_window` is the model's, where it is known; else the provider's largest, in `bounds`.
    """
    if bounds.unasked:
        return _boundless([(name, _UNASKED_REMEDY) for name in bounds.unasked], param="model")
    if facts.unbounded or facts.images:
        unbounded = list(facts.unbounded)
        unbounded += [f"image_{image.kind}" for image in facts.images if image.kind != "base64"]
        if unbounded:
            return _boundless([(name, _REMEDIES.get(name)) for name in dict.fromkeys(unbounded)])
    tokens = facts.text_bytes + bounds.per_request_tokens + facts.messages * bounds.per_message_tokens
    if facts.tools:
        tokens += bounds.tools_preamble_tokens + facts.tools * bounds.per_tool_tokens
        tokens += facts.vendor_tools * bounds.per_vendor_tool_tokens
    for image in facts.images:
        tokens += image_bound_tokens(image, bounds)
    if facts.web_tools:
        return _web_bound(facts, context_window or bounds.context_tokens, tokens)
    return tokens


def unstated_fees(facts: Facts, endpoint: Endpoint) -> Refusal | None:
    """What a model whose tokens are declared to cost nothing may be billed for all the same: searches, tools and
    fields of somebody else's server of which nobody has stated a price. None where there is nothing."""
    if endpoint.fees == "none":
        return None
    found = [name for name in facts.unbounded if name not in _TOKENS_ALONE]
    found += [tool.kind for tool in facts.web_tools if tool.kind == "web_search"]
    if endpoint.fees == "searches_stated":
        found = [name for name in found if name != "web_search"]
    if not found:
        return None
    names = dict.fromkeys(found)
    return _boundless([(name, _FEE_REMEDIES.get(name, _FEE_REMEDY)) for name in names])


def thinking_bound_tokens(facts: Facts, bounds: BoundFacts, context_window: int | None = None) -> int | Refusal:
    """Output tokens per choice that may be billed beside the output cap. A Refusal where they have no bound.

    Where `max_tokens` limits the answer alone (DashScope's API reference of Chat Completions), thinking is bounded by a
    stated `thinking_budget`, else by the context window, which the provider refuses to exceed.
    """
    if facts.thinking_tokens is not None:
        return max(0, facts.thinking_tokens)  # "as much as you like" is among what has no bound
    if facts.thinking == "off" or not (facts.thinking == "on" or bounds.thinks_beside_cap):
        return 0
    window = context_window or bounds.context_tokens
    return _boundless([("thinking", _THINKING_REMEDY)], param="thinking_budget") if window is None else window


def image_bound_tokens(image: ImageFact, bounds: BoundFacts) -> int:
    """The most that one image costs: by its pixels where rule and size are known, else the provider's maximum.

    Scaling down, which providers do to large images, only lowers it, so that it is not counted on, but for OpenAI's
    tiles: there the number of tiles is meant after it.
    """
    width, height = image.width, image.height
    if bounds.image_rule is None or width is None or height is None:
        return bounds.tokens_per_image
    if bounds.image_rule == "anthropic":
        # Patches of 28 pixels; width x height / 750 by the older documentation (platform.claude.com, "Vision").
        tokens = max(-(-width // 28) * -(-height // 28), -(-width * height // 750))
    elif image.detail == "low":
        tokens = _OPENAI_BASE_TOKENS
    else:
        patches = min(-(-width // 32) * -(-height // 32), _OPENAI_PATCHES)
        tiles = _OPENAI_BASE_TOKENS + _OPENAI_TILE_TOKENS * _tiles(width, height)
        tokens = max(tiles, -(-patches * _OPENAI_PATCH_PERCENT // 100))
    return min(tokens, bounds.tokens_per_image)


def sampling_rounds(facts: Facts) -> int:
    """How often the model may run within one request: more than once where the provider works with tools itself."""
    if not facts.web_tools:
        return 1
    return max(WEB_ROUNDS, 1 + sum([tool.max_uses or 0 for tool in facts.web_tools]))


def web_searches(facts: Facts) -> int:
    """The most searches that may be charged for."""
    return sum([tool.max_uses or 0 for tool in facts.web_tools if tool.kind == "web_search"])


def _tiles(width: int, height: int) -> int:
    """Tiles of 512 pixels once it fits 2,048 x 2,048 and its shorter side 768 (OpenAI, "Images and vision").

    In whole numbers; a side that was scaled counts a pixel more, for those who round up.
    """
    long, short = max(width, height), min(width, height)
    over, under = 1, 1  # what is left of a side: over / under
    if long > 2_048:
        over, under = 2_048, long
    if short * over > 768 * under:
        over, under = 768, short
    more = 0 if over == under else 1
    across, down = -(-long * over // under) + more, -(-short * over // under) + more
    return -(-across // 512) * -(-down // 512)


def _web_bound(facts: Facts, context_window: int | None, tokens: int) -> int | Refusal:
    """Every round may read as much as the model can hold.

    A fetch's own `max_content_tokens` bounds nothing: it is approximate and leaves PDFs out (Anthropic's reference of
    the tool), and searches have no such limit at all.
    """
    endless = dict.fromkeys([tool.kind for tool in facts.web_tools if tool.max_uses is None])
    if endless:
        return _boundless([(name, "give the tool `max_uses`") for name in endless])
    if context_window is None:
        why = "`max_uses` limits how often the tool is used, not how many tokens it brings, and the model's context "
        return _boundless([(facts.web_tools[0].kind, why + "window is not known")])
    return sampling_rounds(facts) * max(context_window, tokens)


def _boundless(found: list[tuple[str, str | None]], *, param: str | None = None) -> Refusal:
    names = ", ".join([name for name, _ in found])
    remedies = "; ".join(dict.fromkeys([remedy for _, remedy in found if remedy is not None]))
    return Refusal(
        kind="unpriceable",
        message=(
            f"A strict budget applies and the cost of {names} has no upper bound, so the request is refused."
            f" {remedies[:1].upper() + remedies[1:] or 'Leave it out'}, or use a budget with mode: expected."
        ),
        code="unpriceable",
        param=param or found[0][0],
    )
