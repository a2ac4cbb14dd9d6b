"""Mistakes in what routes say about strategies, as far as the file alone shows them."""

from collections.abc import Iterator
from typing import Any

import orjson
from msgspec import Struct

from bascule.config.places import Path
from bascule.config.shape import Route
from bascule.config.strategies import Accepting, Keeping, RaceConfig, Strategies, named
from bascule.decide.grade import Regex, Schema, prepare
from bascule.decide.json_schema import GraderError

OF_THE_REQUEST = "request"


class Mistake(Struct, frozen=True):
    path: Path
    what: str
    remedy: str


def strategy_mistakes(name: str, route: Route) -> Iterator[Mistake]:
    """What is wrong with a route's strategy, each with its place and remedy."""
    written = route.strategy
    path: Path = ("routes", name, "strategy")
    if isinstance(written, str):
        if written not in ("single", "race"):
            yield Mistake(path, f"`{written}` needs settings", f"Write `{{{written}: {{…}}}}`; see docs/strategies.md")
            return
    elif len(named(written)) != 1:
        yield Mistake(path, f"names {len(named(written))} strategies", f"Write one of {', '.join(_NAMES)}")
        return
    if written == "single":
        return
    yield from _settings(path, written, route)
    if isinstance(written, Strategies) and (written.cascade or written.verify) and route.quality is not None:
        mend = "Remove one of the two; `x-bascule-quality` still leaves out models for one request"
        what = "has a floor, and a strategy whose own test says what is good enough"
        yield Mistake(("routes", name, "quality"), what, mend)
    if route.hedge is not None:
        what = "hedges, and has a strategy that plans its calls itself"
        yield Mistake(("routes", name, "hedge"), what, "Remove one of the two; `race` asks several at once")


def _settings(path: Path, written: "str | Strategies", route: Route) -> Iterator[Mistake]:
    if isinstance(written, str):
        yield from _several((*path,), route.candidates, "race")
        return
    if written.cascade is not None:
        inner: Path = (*path, "cascade")
        yield from _several(inner, written.cascade.order or route.candidates, "cascade")
        yield from _accepting((*inner, "accept"), written.cascade.accept, needed=True)
    if written.race is not None:
        yield from _several((*path, "race"), written.race.models or route.candidates, "race")
        yield from _race((*path, "race"), written.race)
    if written.verify is not None:
        first = written.verify.generate or route.candidates[0]
        again = written.verify.regenerate or route.candidates[-1]
        if first == again:
            what = f"`{first}` would answer, and answer anew"
            yield Mistake((*path, "verify"), what, "Name a dearer model under `regenerate`")
    if written.delegate is not None and written.delegate.frontier == written.delegate.worker:
        what = f"`{written.delegate.worker}` would hand its work to itself"
        yield Mistake((*path, "delegate", "worker"), what, "Name a cheaper model")


def _several(path: Path, models: tuple[str, ...], what: str) -> Iterator[Mistake]:
    if len(set(models)) < len(models):
        yield Mistake(path, f"{what} names a model twice", "Name each once")
    elif len(models) < 2:
        yield Mistake(path, f"{what} has one model only", "Give the route at least two candidates")


def _race(path: Path, race: RaceConfig) -> Iterator[Mistake]:
    for test in ("agreement", "judge", "command", "verifier"):
        if getattr(race.accept, test) is not None:
            what = f"`{test}` would have to be waited for while others run"
            yield Mistake((*path, "accept", test), what, "Use schema, regex, output_contract or logprob, or a cascade")
    yield from _accepting((*path, "accept"), race.accept, needed=False)


def _accepting(path: Path, accept: Accepting, *, needed: bool) -> Iterator[Mistake]:
    models = (accept.agreement, accept.judge)
    own = (accept.schema, accept.regex, accept.output_contract, accept.logprob)
    if needed and all(test is None for test in (*own, accept.verifier, accept.command, *models)):
        mend = "Add schema, regex, output_contract, logprob, verifier, command, agreement or judge"
        yield Mistake(path, "has no test, so that every answer would be accepted", mend)
    if accept.regex is not None:
        try:
            prepare(Regex(pattern=accept.regex))
        except GraderError as error:
            yield Mistake((*path, "regex"), str(error), "Write an RE2 pattern")
    if accept.output_contract is not None and accept.output_contract == Keeping():
        yield Mistake((*path, "output_contract"), "has no rule", "Add max_words, required, forbidden or sources")
    if accept.schema is not None:
        found = _schema_mistake(accept.schema)
        if found is not None:
            yield Mistake((*path, "schema"), *found)


def _schema_mistake(text: str) -> tuple[str, str] | None:
    mend = "Write `request`, or the schema as JSON text in single quotes"
    schema: dict[str, Any] = {}
    if text != OF_THE_REQUEST:
        try:
            schema = orjson.loads(text)
        except ValueError as error:
            return f"is not JSON: {error}", mend
        if not isinstance(schema, dict):
            return "is not a JSON object", mend
    try:
        prepare(Schema(schema=schema))
    except GraderError as error:
        return str(error), "Install the extra, or mend the schema"
    return None


_NAMES = Strategies.__struct_fields__
