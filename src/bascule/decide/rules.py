"""What the CEL rules of a route may ask of a request."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from bascule.decide.language import language_of
from bascule.model.budget import Attribution
from bascule.model.facts import Facts
from bascule.model.identity import Identity
from bascule.model.money import NANO_PER_USD
from bascule.model.session_state import SessionState

RULE_FACTS: tuple[tuple[str, str], ...] = (
    ("task", "string"),
    ("has_image", "bool"),
    ("has_tools", "bool"),
    ("has_document", "bool"),
    ("has_audio", "bool"),
    ("has_json_schema", "bool"),
    ("has_reasoning", "bool"),
    ("stream", "bool"),
    ("text_bytes", "int"),
    ("est_input_tokens", "int"),
    ("messages", "int"),
    ("tools", "int"),
    ("max_tokens", "int or null"),
    ("model", "string"),
    ("key", "string"),
    ("org", "string"),
    ("team", "string"),
    ("project", "string"),
    ("user", "string"),
    ("tags", "map of strings"),
    ("client", "string"),
    ("session_known", "bool"),
    ("hour_utc", "int"),
    ("language", "string"),
    ("images", "int"),
    ("turn", "int"),
    ("cached_tokens", "int"),
    ("deadline_s", "double or null"),
    ("budget_left_usd", "double or null"),
)
"""What a rule's CEL may name. Text that is not known is "", so that `task.startsWith("x")` is never an error.
`turn` counts the requests of the session that this worker has seen, 0 where it knows none."""


class Moment(Struct, frozen=True, kw_only=True):
    """What rules may ask beside the request itself."""

    session: SessionState | None = None
    now_ms: int = 0
    deadline_ms: int | None = None
    budget_left_nanousd: Callable[[], int | None] = lambda: None


NO_MOMENT = Moment()


class RuleFacts(Mapping[str, Any]):
    """The facts of a request by the names in `RULE_FACTS`; each is looked up when a rule asks for it."""

    __slots__ = ("est_input_tokens", "facts", "hour_utc", "identity", "model", "moment", "task", "who")

    def __init__(
        self,
        facts: Facts,
        who: Attribution,
        identity: Identity,
        *,
        model: str,
        task: str | None,
        est_input_tokens: int,
        hour_utc: int,
        moment: Moment = NO_MOMENT,
    ) -> None:
        self.facts = facts
        self.who = who
        self.identity = identity
        self.model = model
        self.task = task
        self.est_input_tokens = est_input_tokens
        self.hour_utc = hour_utc
        self.moment = moment

    def __getitem__(self, name: str) -> Any:
        return _READ[name](self)

    def __iter__(self) -> Iterator[str]:
        return iter(_READ)

    def __len__(self) -> int:
        return len(_READ)


_READ: dict[str, Callable[[RuleFacts], Any]] = {
    "task": lambda of: of.task or "",
    "has_image": lambda of: of.facts.has_image,
    "has_tools": lambda of: of.facts.tools > 0,
    "has_document": lambda of: of.facts.has_document,
    "has_audio": lambda of: of.facts.has_audio,
    "has_json_schema": lambda of: of.facts.has_json_schema,
    "has_reasoning": lambda of: of.facts.has_reasoning,
    "stream": lambda of: of.facts.stream,
    "text_bytes": lambda of: of.facts.text_bytes,
    "est_input_tokens": lambda of: of.est_input_tokens,
    "messages": lambda of: of.facts.messages,
    "tools": lambda of: of.facts.tools,
    "max_tokens": lambda of: of.facts.max_tokens,
    "model": lambda of: of.model,
    "key": lambda of: of.who.key or "",
    "org": lambda of: of.who.org or "",
    "team": lambda of: of.who.team or "",
    "project": lambda of: of.who.project or "",
    "user": lambda of: of.who.user or "",
    "tags": lambda of: of.who.tags,
    "client": lambda of: of.identity.client or "",
    "session_known": lambda of: of.identity.session_id is not None and of.identity.session_source != "derived",
    "hour_utc": lambda of: of.hour_utc,
    "language": lambda of: language_of(of.facts.first_user_text),
    "images": lambda of: len(of.facts.images),
    "turn": lambda of: 0 if of.moment.session is None else of.moment.session.turns + 1,
    "cached_tokens": lambda of: _warm(of.moment),
    "deadline_s": lambda of: None if of.moment.deadline_ms is None else of.moment.deadline_ms / 1000,
    "budget_left_usd": lambda of: _dollars(of.moment.budget_left_nanousd()),
}


def _warm(moment: Moment) -> int:
    return 0 if moment.session is None else moment.session.warm_tokens(moment.now_ms)


def _dollars(nanousd: int | None) -> float | None:
    """For comparing alone: nothing is reckoned with it."""
    return None if nanousd is None else nanousd / NANO_PER_USD
