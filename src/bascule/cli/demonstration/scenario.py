"""Who asks for what: the demo's traffic as values, the same for the same seed."""

from random import Random
from typing import Any, Literal

from msgspec import Struct

from bascule.cli.demonstration import material
from bascule.cli.demonstration.simulated import BAD_MINUTE, UNREPORTED, trouble_mark

Sdk = Literal["openai", "anthropic"]

AGENT_SESSION = "fix-invoice-rounding"
"""The agent run whose cost the story tells step by step."""
TRIAL_KEY = "trial"
ROUTE = "auto"

_TOOLS: tuple[dict[str, Any], ...] = tuple(
    {"name": name, "description": told, "input_schema": {"type": "object", "properties": fields}}
    for name, told, fields in (
        ("run", "Run a command in the checkout.", {"command": {"type": "string"}}),
        ("read_file", "Read a file of the checkout.", {"path": {"type": "string"}}),
        ("edit", "Replace text in a file.", {name: {"type": "string"} for name in ("path", "old", "new")}),
    )
)
_AGENT_RULES = (
    "You are a coding agent in a checkout of the shop. Work in small steps and say what each of them showed. "
    "Never change a test to make it pass. Money is Decimal, rounded once, half to even. "
) * 12
_AGENT_STEPS: tuple[tuple[str, str | None], ...] = (
    ("Run the failing test and say what it shows.", material.TEST_OUTPUT),
    ("Read the module that it fails in.", material.MODULE),
    ("Find every other place that rounds.", "shop/invoice.py:11: round(\nshop/invoice.py:14: round(\n"),
    ("Apply the fix.", "1 replacement in shop/invoice.py"),
    ("Run all tests again.", "212 passed in 9.1 s"),
    ("Write the commit message.", None),
)
_EXPLORER_STEPS: tuple[tuple[str, str | None], ...] = (
    ("Find every other place that rounds, and list the callers.", material.MODULE),
    ("Read the files that call it.", material.MODULE),
)


class Turn(Struct, frozen=True):
    """What the user says, and what the tool gives if the model calls one (None: it has none to call)."""

    text: str
    tool_output: str | None = None


class Conversation(Struct, frozen=True, kw_only=True):
    """Turns sent one after the other; with `remembers`, each with all that was said before."""

    key: str
    sdk: Sdk
    model: str = ROUTE
    turns: tuple[Turn, ...]
    remembers: bool = False
    system: str | None = None
    tools: tuple[dict[str, Any], ...] = ()
    stream: bool = False
    max_tokens: int | None = 400
    temperature: float | None = None
    headers: dict[str, str] = {}

    @property
    def requests(self) -> int:
        """How many it takes if every model calls the tool it is meant to call."""
        return sum(1 if turn.tool_output is None else 2 for turn in self.turns)


def conversations(seed: int) -> list[Conversation]:
    """All of the traffic, in the order in which it is begun."""
    dice = Random(seed)  # noqa: S311 - made-up traffic, no secrets
    found = [
        *_tickets(dice),
        *_bad_minute(dice),
        *_documents(dice),
        *_emails(dice),
        *_research(dice),
        *_agents(dice),
        *[_one("lab", "Name the three risks of this migration.", model="lab-model") for _ in range(6)],
    ]
    dice.shuffle(found)
    return [_trial(dice), *found]


def _one(key: str, text: str, *, sdk: Sdk = "openai", **changes: Any) -> Conversation:
    return Conversation(key=key, sdk=sdk, turns=(Turn(text),), **changes)


def _tickets(dice: Random) -> list[Conversation]:
    """Small work in large numbers. Some tickets come twice, and the second answer is in the cache."""
    found = []
    for number in range(150):
        text = f"Classify this support ticket as billing, delivery, account or product.\n\n{material.ticket(dice)}"
        twice = number % 10 == 0
        turns = (Turn(text),) * (2 if twice else 1)
        found.append(
            Conversation(key="support-bot", sdk="openai", turns=turns, max_tokens=60, temperature=0 if twice else None)
        )
    return found


def _bad_minute(dice: Random) -> list[Conversation]:
    """Requests that their first provider fails; those inside a stream need one, and only a stream has to begin soon."""
    found = []
    for name, script in BAD_MINUTE:
        for _ in range(2 if script.get("fault") == "hang_before" else 4):
            text = f"Classify this support ticket as billing, delivery, account or product.\n\n{material.ticket(dice)}"
            text = f"{text} {trouble_mark(name)}"
            stream = "fault" in script
            found.append(_one("support-bot", text, max_tokens=60, stream=stream))
    return found


def _documents(dice: Random) -> list[Conversation]:
    found = []
    for number in range(50):
        text = f"Extract the fields number, supplier, net and vat as JSON.\n\n{material.invoice(dice)}"
        found.append(_one("support-bot", text, max_tokens=200, stream=number % 5 == 0))
    for number in range(60):
        unreported = f" {trouble_mark(UNREPORTED)}" if number % 20 == 0 else ""
        text = f"Summarize this thread in five sentences.{unreported}\n\n{material.thread(dice)}"
        user = dice.choice(("ann", "bo", "cy"))
        sdk: Sdk = "anthropic" if number % 2 else "openai"
        found.append(_one("web-app", text, sdk=sdk, stream=number % 3 == 0, headers={"x-bascule-user": user}))
    return found


def _emails(dice: Random) -> list[Conversation]:
    found = []
    for number in range(45):
        text = f"Write a short email to the customer about the delay.\n\n{material.ticket(dice)}"
        user = dice.choice(("ann", "bo", "cy"))
        headers = {"x-bascule-user": user, "x-bascule-task": "writing", "x-bascule-tag": "feature=mail"}
        found.append(_one("web-app", text, stream=number % 2 == 0, headers=headers))
    return found


def _research(dice: Random) -> list[Conversation]:
    """People who ask for a model by name, and audits that a rule sends to the best."""
    found = []
    for number in range(24):
        text = f"Compare these two suppliers and say which one to choose.\n\n{material.suppliers(dice)}"
        sdk: Sdk = "openai" if number % 3 == 0 else "anthropic"
        model = "claude-opus-5-5" if number % 2 else ROUTE
        found.append(_one("research", text, sdk=sdk, model=model, max_tokens=1200, stream=number % 4 == 0))
    for _ in range(10):
        text = f"Audit this handler for security problems.\n\n{material.CODE}"
        headers = {"x-bascule-task": "security_audit"}
        found.append(_one("research", text, sdk="anthropic", max_tokens=1500, headers=headers))
    return found


def _agents(dice: Random) -> list[Conversation]:
    """Runs of a coding agent with tools, growing as they go; the first has a sub-agent of its own."""
    found = [_agent(AGENT_SESSION, stream=True)]
    found.append(_agent(AGENT_SESSION, agent="explorer", steps=_EXPLORER_STEPS, model="claude-sonnet-5-5"))
    return found + [_agent(f"run-{dice.randrange(1000, 9999)}", stream=number == 1) for number in range(3)]


def _agent(
    session: str,
    *,
    agent: str | None = None,
    steps: tuple[tuple[str, str | None], ...] = _AGENT_STEPS,
    model: str = ROUTE,
    stream: bool = False,
) -> Conversation:
    headers = {"x-claude-code-session-id": session, "x-bascule-task": "code_generation", "x-bascule-pr": "118"}
    if agent is not None:
        headers["x-claude-code-agent-id"] = agent
    return Conversation(
        key="coding-agent",
        sdk="anthropic",
        model=model,
        turns=tuple([Turn(text, output) for text, output in steps]),
        remembers=True,
        system=_AGENT_RULES,
        tools=_TOOLS,
        stream=stream,
        max_tokens=2000,
        headers=headers,
    )


def _trial(dice: Random) -> Conversation:
    """A key with two cents a day, and more questions than that pays for. No cap: the gateway finds one that fits."""
    ask = "Name the three risks of this migration.\n\n"
    turns = tuple([Turn(ask + material.ticket(dice)) for _ in range(16)])
    return Conversation(key=TRIAL_KEY, sdk="openai", model="gpt-6.1-sol", turns=turns, max_tokens=None)
