"""Whether a session stays with the model that served its last request. Pure.

A session's prompt lies in a provider's cache, and a model elsewhere has to read all of it at full price before its
lower price tells. So the rest of the session is priced both ways, at cached prices: this request warm or cold, then the
turns that are still to be expected, each warm. Moving has to save a clear part of the whole, and its cold prompt must
not cost more than the route allows. By list prices alone a session would move at every turn, and pay more.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct, structs

from bascule.model.catalog import Endpoint
from bascule.model.money import Rates, round_nanousd
from bascule.model.plan import Candidate
from bascule.model.policy import Objective, Sticky
from bascule.model.session_state import SessionChoice, SessionState

STAYS = "session stays"
CHEAPEST_SESSION = "cheapest over its session"
MOVES = "session moves: pays within its expected turns"


class Turn(Struct, frozen=True, kw_only=True):
    """What one request of the session is expected to be, in tokens."""

    tokens_in: int
    tokens_out: int
    warm_tokens: int
    """Of the input, what lies in the present endpoint's cache now."""
    cached_tokens: int
    """Of the input, what lies there in the turns to come."""


RatesAt = Callable[[Endpoint], Rates | None]


def settled(
    candidates: tuple[Candidate, ...],
    session: SessionState,
    turn: Turn,
    turns_left: float,
    objective: Objective | None,
    sticky: Sticky,
    rates_of: RatesAt,
) -> tuple[tuple[Candidate, ...], SessionChoice | None]:
    """The candidates with who keeps or takes the session first, and why; None where the session's model is not among
    them: it may not serve this request, or no longer is good enough.

    `candidates` have passed every constraint and floor. An objective other than `cheapest` is about something else
    than money, so there the session simply stays.
    """
    here = next((one for one in candidates if one.endpoint.id == session.endpoint_id), None)
    if here is None or not sticky.enabled or not candidates[0].adequate:
        return candidates, None
    stay = _total(here, turn, turns_left, rates_of, at_home=True)
    others = [one for one in candidates if one is not here]
    priced = [(total, one) for one in others if (total := _total(one, turn, turns_left, rates_of)) is not None]
    move, there = min(priced, key=lambda pair: pair[0]) if priced else (None, None)
    moves = (
        objective == "cheapest"
        and there is not None
        and stay is not None
        and move is not None
        and move * 100 < stay * (100 - sticky.least_saving_percent)
        and _cold_nanousd(there, turn, rates_of) <= sticky.max_switch_nanousd
    )
    chosen = there if moves and there is not None else here
    choice = SessionChoice(
        stays=not moves, model=chosen.model, stay_nanousd=stay, move_nanousd=move, turns_left=turns_left
    )
    return _first(candidates, chosen, candidates[0].reason if chosen is candidates[0] else _word(moves)), choice


def begun(
    candidates: tuple[Candidate, ...], tokens_in: int, tokens_out: int, turns_left: float, rates_of: RatesAt
) -> tuple[Candidate, ...]:
    """The candidates of an agent's first request, the one first whose price for the whole session is the least.

    One request is cheapest where list prices are; the turns after it read the same prompt from a cache, where there is
    one. A provider without a price for cached tokens is taken to have none. Those whose price is not known stay behind
    the others.
    """
    if not candidates[0].adequate:
        return candidates
    priced = []
    for one in candidates:
        rates = rates_of(one.endpoint)
        caches = rates is not None and rates.cache_read is not None
        turn = Turn(tokens_in=tokens_in, tokens_out=tokens_out, warm_tokens=0, cached_tokens=tokens_in if caches else 0)
        total = _total(one, turn, turns_left, rates_of)
        if total is not None:
            priced.append((total, one))
    if not priced:
        return candidates
    chosen = min(priced, key=lambda pair: pair[0])[1]
    return candidates if chosen is candidates[0] else _first(candidates, chosen, CHEAPEST_SESSION)


def _word(moves: bool) -> str:
    return MOVES if moves else STAYS


def _first(candidates: Sequence[Candidate], chosen: Candidate, reason: str) -> tuple[Candidate, ...]:
    others = [
        structs.replace(one, reason="failover") if place == 0 else one
        for place, one in enumerate(candidates)
        if one is not chosen
    ]
    return (structs.replace(chosen, reason=reason), *others)


def _total(
    candidate: Candidate, turn: Turn, turns_left: float, rates_of: RatesAt, *, at_home: bool = False
) -> int | None:
    """Nano-USD of this request and of those expected after it."""
    warm = turn.warm_tokens if at_home else 0
    first = _picousd(candidate.endpoint, turn, warm, rates_of)
    later = _picousd(candidate.endpoint, turn, turn.cached_tokens, rates_of)
    if first is None or later is None:
        return None
    # Thousandths of a turn: the expectation is a fraction, money is not.
    return round_nanousd(first + later * round(turns_left * 1_000) // 1_000)


def _cold_nanousd(candidate: Candidate, turn: Turn, rates_of: RatesAt) -> int:
    """What is paid once for having the prompt read anew."""
    cold = _picousd(candidate.endpoint, turn, 0, rates_of)
    warm = _picousd(candidate.endpoint, turn, turn.cached_tokens, rates_of)
    return 0 if cold is None or warm is None else round_nanousd(max(0, cold - warm))


def _picousd(endpoint: Endpoint, turn: Turn, cached: int, rates_of: RatesAt) -> int | None:
    if endpoint.free:
        return 0
    rates = rates_of(endpoint)
    if rates is None or rates.input is None or rates.output is None:
        return None
    read = rates.input if rates.cache_read is None else rates.cache_read
    # A session that is cached writes what it reads later; elsewhere writing costs as input.
    caches = turn.cached_tokens > 0 and rates.cache_write_5m is not None
    write = rates.cache_write_5m if caches and rates.cache_write_5m is not None else rates.input
    cached = min(cached, turn.tokens_in)
    return cached * read + (turn.tokens_in - cached) * write + turn.tokens_out * rates.output
