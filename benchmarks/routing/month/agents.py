"""What an agent's session costs: the prompt of each turn lies in the cache of whoever read it within five minutes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bascule.decide.price import price_with
from bascule.model.money import Rates
from bascule.model.session_state import SessionState
from bascule.model.usage import Usage
from benchmarks.routing.month.company import FIRST_TOKENS, Session, Turn
from benchmarks.routing.month.setting import Setting

LIFETIME_S = 300


@dataclass
class Caches:
    """Of one session: by model, what it has read and when."""

    read: dict[str, tuple[int, int]] = field(default_factory=dict)

    def warm(self, model: str, turn: Turn) -> int:
        """Of this prompt, the tokens that lie in the model's cache. Instructions and tools outlive a compaction."""
        tokens, at_ms = self.read.get(model, (0, 0))
        if turn.at_ms - at_ms > LIFETIME_S * 1_000:
            return 0
        return min(tokens, turn.tokens_before or FIRST_TOKENS)

    def note(self, model: str, turn: Turn) -> None:
        self.read[model] = turn.tokens_in, turn.at_ms


def turn_nanousd(model: str, turn: Turn, warm: int, rates: Mapping[str, Rates]) -> int:
    """Raises LookupError where it cannot be priced."""
    cold = turn.tokens_in - warm
    writes = rates[model].cache_write_5m is not None
    cost = price_with(
        Usage(
            tokens_in=0 if writes else cold,
            tokens_cache_read=warm,
            tokens_cache_write_5m=cold if writes else None,
            tokens_out=turn.tokens_out,
            source="reported",
        ),
        rates[model],
    )
    if cost is None:
        raise LookupError(f"a turn of {model} cannot be priced")
    return cost


def session_nanousd(model: str, session: Session, rates: Mapping[str, Rates]) -> int:
    """Of a session that one model serves from its beginning to its end."""
    caches, total = Caches(), 0
    for turn in session.turns:
        total += turn_nanousd(model, turn, caches.warm(model, turn), rates)
        caches.note(model, turn)
    return total


def routed_nanousd(route: str, session: Session, setting: Setting, rates: Mapping[str, Rates]) -> tuple[int, int]:
    """Cost of a session whose every turn is routed, and how often the model changed."""
    caches, total, changes = Caches(), 0, 0
    state: SessionState | None = None
    for number, turn in enumerate(session.turns, 1):
        plan = setting.plan(route, session.session_id, turn.at_ms, turn.tokens_in, "code_edit", state)
        model = plan.candidates[0].model
        total += turn_nanousd(model, turn, caches.warm(model, turn), rates)
        caches.note(model, turn)
        changes += state is not None and state.model != model
        state = SessionState(
            model=model,
            endpoint_id=plan.candidates[0].endpoint.id,
            turns=number,
            last_ms=turn.at_ms,
            cached_tokens=0 if rates[model].cache_read is None else turn.tokens_in,
            lifetime_s=LIFETIME_S,
        )
    return total, changes
