"""The company's gateway: a configuration, linked as a running gateway links it, and its decisions in virtual time."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bascule.compose import read_document, snapshot_of
from bascule.decide.circumstances import Circumstances
from bascule.decide.price import price_with
from bascule.decide.promotion.policy import EvidencePolicy
from bascule.decide.remaining import no_lengths, turns_left
from bascule.decide.route import RouteTable, route
from bascule.link.evidence import evidence_policies
from bascule.model.budget import Attribution
from bascule.model.catalog import Endpoint
from bascule.model.errors import Refusal
from bascule.model.facts import Facts
from bascule.model.identity import Identity
from bascule.model.money import Rates
from bascule.model.plan import Plan
from bascule.model.policy import Ask
from bascule.model.session_state import SessionState
from bascule.model.usage import Usage
from benchmarks.routing.month.cast import AGENT_MODELS, PLAYS, PREMIUM, PROVIDERS, Cast

_EXPECTED_OUT = 250
PRODUCTS = ("assistant", "questions")
AGENT_TOOLS = 28
PRICE_ORDER = ("gemini-2.5-flash-lite", "deepseek-chat", "gpt-5-mini", "claude-haiku-4-5", "gpt-5.1")
SHADOW_SHARE = {"agents": 0.03, "assistant": 0.2, "questions": 0.2}
"""Of what is simulated. Of all requests these are 0.75 % and 1 %, since each simulated one stands for several."""
PRESETS = {"moonshotai": "moonshot"}
"""Where a preset has another name than the price list's provider."""
HOLDOUT = 0.02
UNCACHED = "kimi-k2"
"""Its list price is below gpt-5.1's, and it has none for cached tokens."""


def configuration() -> str:
    """`bascule.yaml` of the company. Challengers stand in order of price, the cheapest first; the rest is default."""

    def evidence(name: str, models: tuple[str, ...]) -> str:
        challengers = ", ".join(sorted([model for model in models if model != PREMIUM], key=PRICE_ORDER.index))
        return (
            f"{{incumbent: {PREMIUM}, challengers: [{challengers}], by_prompt: false, graders: {{regex: '.'}},"
            f" shadow_share: {SHADOW_SHARE[name]}, watch_share: 0.01,"
            f" holdout: {HOLDOUT}, max_usd_per_day: 50}}"
        )

    models = []
    for model, provider in PROVIDERS.items():
        preset = PRESETS.get(provider, provider)
        models.append(f"  {model}: {{endpoints: [{{provider: {preset}, model: {model}}}]}}")
    routes = {"agents": AGENT_MODELS, "assistant": tuple(PLAYS["zeroeval"]), "questions": tuple(PLAYS["mmlupro"])}
    lines = [
        *(
            "providers: {anthropic: {}, openai: {}, google: {}, deepseek: {}, moonshot: {}}",
            "models:",
            *models,
            "routes:",
        ),
        *[
            f"  {name}: {{candidates: [{', '.join(of)}], objective: cheapest, evidence: {evidence(name, of)}}}"
            for name, of in routes.items()
        ],
        *[
            f"  {name}: {{candidates: [gpt-5.1, {UNCACHED}], objective: cheapest, sessions: {{sticky: {sticky}}}}}"
            for name, sticky in (("by-list-price", "false"), ("by-session", "true"))
        ],
    ]
    return "\n".join(lines) + "\n"


class Setting:
    """Decides as the gateway does, by `decide.route`."""

    def __init__(self, cast: Cast) -> None:
        names = ("ANTHROPIC", "OPENAI", "GEMINI", "DEEPSEEK", "MOONSHOT")
        environment = dict.fromkeys([f"{name}_API_KEY" for name in names], "sk-none-0123456789abcdef")
        with TemporaryDirectory() as folder:
            path = Path(folder) / "bascule.yaml"
            path.write_text(configuration())
            self.snapshot = snapshot_of(read_document(str(path), environment), environment, stored_keys=True)
        self.policies: dict[str, EvidencePolicy] = evidence_policies(self.snapshot)
        self._table = RouteTable(self.snapshot)
        self._rates = cast.rates
        self._lengths = no_lengths()

    def plan(
        self,
        name: str,
        session_id: str,
        at_ms: int,
        tokens_in: int,
        task: str | None = None,
        session: SessionState | None = None,
    ) -> Plan:
        """Raises ValueError where the route refuses: nothing here is meant to be refused."""
        made = route(
            Ask(model=name),
            Facts(model=name, text_bytes=4 * tokens_in, messages=1, tools=0 if name in PRODUCTS else AGENT_TOOLS),
            Attribution(session_id=session_id),
            Identity(session_id=session_id, session_source="x-session-id", task=task),
            self._table,
            Circumstances(
                now_ms=at_ms,
                expected_cost_of=partial(self._expected, tokens_in),
                rates_of=self._rate,
                est_input_tokens=tokens_in,
                est_output_tokens=_EXPECTED_OUT,
                session=session,
                turns_left=partial(turns_left, self._lengths),
            ),
        )
        if isinstance(made, Refusal):
            raise ValueError(made.message)
        return made

    def held_nanousd(self, model: str, tokens_in: int, cap: int) -> int:
        """The worst case: nothing cached, and the whole cap written. Raises LookupError without a price."""
        rates = self._rates[model]
        usage = Usage(tokens_in=0, tokens_cache_write_5m=tokens_in, tokens_out=cap, source="estimated")
        if rates.cache_write_5m is None:
            usage = Usage(tokens_in=tokens_in, tokens_out=cap, source="estimated")
        held = price_with(usage, rates)
        if held is None:
            raise LookupError(f"{model} has no price")
        return held

    def ended(self, turns: int) -> None:
        """A session of so many turns is over: what is left of others is guessed from it."""
        for turn in range(1, min(turns, len(self._lengths.ended) - 1)):
            self._lengths.went_on[turn] += 1
        self._lengths.ended[min(turns, len(self._lengths.ended) - 1)] += 1

    def _rate(self, endpoint: Endpoint) -> Rates | None:
        return self._rates[endpoint.upstream_model]

    def _expected(self, tokens_in: int, endpoint: Endpoint) -> int | None:
        usage = Usage(tokens_in=tokens_in, tokens_out=_EXPECTED_OUT, source="estimated")
        return price_with(usage, self._rates[endpoint.upstream_model])
