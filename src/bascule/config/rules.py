"""CEL rules of routes: compiled when the configuration is read, run on the facts of a request."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from bascule.config.suggest import remedy
from bascule.decide.cel_runtime import cel_runtime
from bascule.decide.rules import RULE_FACTS
from bascule.model.policy import Rule

if TYPE_CHECKING:
    from cel import Program

_SAMPLE_OF = {
    "string": "text",
    "bool": False,
    "int": 1_000,
    "int or null": 1_000,
    "double or null": 1.5,
    "map of strings": {"feature": "search"},
}
FACT_SAMPLES: dict[str, Any] = {name: _SAMPLE_OF[kind] for name, kind in RULE_FACTS}
"""Every fact that a rule may name, with a value of its type to try rules on."""

_FUNCTIONS = frozenset(
    {"size", "contains", "startsWith", "endsWith", "matches", "has", "int", "uint", "double", "string", "bytes"}
    | {"type", "dyn", "duration", "timestamp", "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek"}
    | {"getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds"}
)
_TYPES = frozenset({"int", "uint", "double", "string", "bool", "bytes", "list", "map", "null_type", "type"})
_BOUND = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*([A-Za-z_][A-Za-z0-9_]*)\s*,")
_FAULTS = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
"""All that the CEL runtime raises for a rule that does not fit its facts."""


class RuleMistake(Struct, frozen=True):
    """Why a rule cannot be used, and how to mend it."""

    what: str
    remedy: str


class Verdict(Struct, frozen=True):
    """What the rules of a route say of one request."""

    rule: Rule | None
    faults: tuple[str, ...] = ()
    """Rules that could not be evaluated on these facts. They count as not matching."""


class CompiledRules:
    """The rules of one route, in order."""

    __slots__ = ("_known", "_names", "_rules")

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        """Raises ValueError for a rule that is not CEL: `mistake` must have been asked before."""
        compiled = [(rule, _compile(rule.when)) for rule in rules]
        self._rules = [(rule, program, tuple(program.variables())) for rule, program in compiled]
        named = dict.fromkeys([name for _, _, names in self._rules for name in names])
        self._names: tuple[str, ...] | None = tuple(named) if _FEW_VALUED.issuperset(named) else None
        self._known: dict[tuple[Any, ...], Verdict] = {}

    def judge(self, facts: Mapping[str, Any]) -> Verdict:
        """The first rule that is true of `facts`. What was judged before is remembered, if it can come again."""
        if not self._rules:
            return _NOTHING
        if self._names is None:
            return self._judge(facts)
        values = tuple([facts.get(name) for name in self._names])
        found = self._known.get(values)
        if found is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            found = self._known[values] = self._judge(facts)
        return found

    def _judge(self, facts: Mapping[str, Any]) -> Verdict:
        faults: list[str] = []
        for rule, program, names in self._rules:
            # Only what the rule names: the runtime copies all that it is given, 0.7 us a fact.
            given = {name: facts[name] for name in names if name in facts}
            try:
                if program.execute(given) is True:
                    return Verdict(rule, tuple(faults))
            except _FAULTS as error:
                faults.append(f"rule `{rule.when}` does not apply: {_first_line(error)}")
        return Verdict(None, tuple(faults))


_NOTHING = Verdict(None)
_FEW_VALUED = frozenset({"task", "model", "key", "team", "project", "org", "client", "hour_utc", "session_known"}) | {
    name for name, kind in RULE_FACTS if kind == "bool"
}
"""Facts of which a gateway sees few combinations: what a rule says of them is asked of CEL once (7 us)."""
_MAX_KNOWN = 4_096


def mistake(text: str) -> RuleMistake | None:
    """What is wrong with a rule, or None: syntax, names that do not exist, types that never fit."""
    try:
        program = _compile(text)
    except ValueError as error:
        return RuleMistake(f"is not CEL: {_syntax(error)}", "See cel.dev for the language; strings need quotes")
    bound = set(_BOUND.findall(text))
    for name in program.variables():
        if name not in FACT_SAMPLES and name not in bound and name not in _TYPES:
            return RuleMistake(f"names `{name}`, which is not a fact of a request", remedy(name, FACT_SAMPLES, "fact"))
    for name in program.functions():
        if name.isalpha() and name not in _FUNCTIONS:
            return RuleMistake(f"calls `{name}`, which is not a function", remedy(name, sorted(_FUNCTIONS), "function"))
    try:
        outcome = program.execute(FACT_SAMPLES)
    except TypeError:
        return RuleMistake("compares values of different types", "Text needs quotes, numbers none")
    except (ArithmeticError, LookupError):
        return None  # depends on the values of a request, e.g. a tag that it may have
    except (RuntimeError, ValueError) as error:
        return RuleMistake(f"cannot be evaluated: {_first_line(error)}", "Try it on a request with `bascule explain`")
    if not isinstance(outcome, bool):
        return RuleMistake("is not a question of true or false", "Compare with something, e.g. `tools > 0`")
    return None


def _compile(text: str) -> "Program":
    """Raises ValueError where the text is not CEL."""
    program: Program = cel_runtime().compile(text)
    return program


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(". ")[0][:200]


def _syntax(error: Exception) -> str:
    text = str(error)
    _, found, rest = text.partition("ERROR: <input>:")
    return ("at " + rest.partition("\n")[0].partition(" expecting ")[0])[:200] if found else text[:200]
