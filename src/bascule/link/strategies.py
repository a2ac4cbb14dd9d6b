"""What a route says of its strategy in the words of decisions, with what it leaves out filled in."""

from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from bascule.config.shape import Route
from bascule.config.strategies import Accepting, Agreeing, Command, Judging, Keeping, Strategies
from bascule.model.output_contract import OutputContract
from bascule.model.strategy import (
    Acceptance,
    Agreement,
    BestOf,
    Cascade,
    CommandPolicy,
    Delegate,
    JudgePolicy,
    RaceOf,
    Strategy,
    VerifierPolicy,
    Verify,
)

T = TypeVar("T", bound=Struct)


def strategy_of(route: Route) -> Strategy | None:
    """None where one model works on a request, or where what is written is a mistake that `check` reports."""
    written = route.strategy
    if isinstance(written, str):
        return RaceOf(models=route.candidates, accept=Acceptance(tool_calls="accept")) if written == "race" else None
    return _strategy(written, route)


def _strategy(written: Strategies, route: Route) -> Strategy | None:
    if written.cascade is not None:
        one = written.cascade
        return Cascade(
            order=one.order or route.candidates,
            accept=_acceptance(one.accept),
            max_answer_bytes=one.max_answer_bytes,
        )
    if written.verify is not None:
        return Verify(
            generate=written.verify.generate or route.candidates[0],
            check=_judge(written.verify.check),
            regenerate=written.verify.regenerate or route.candidates[-1],
            max_answer_bytes=written.verify.max_answer_bytes,
        )
    if written.best_of is not None:
        best = written.best_of
        return BestOf(
            models=best.models or route.candidates[:1],
            n=best.n,
            temperature=best.temperature,
            judge=_judge(best.judge),
            max_answer_bytes=best.max_answer_bytes,
        )
    if written.race is not None:
        race = written.race
        return RaceOf(
            models=race.models or route.candidates,
            accept=replace(_acceptance(race.accept), tool_calls="accept"),
            max_answer_bytes=race.max_answer_bytes,
        )
    return None if written.delegate is None else _alike(Delegate, written.delegate)


def _acceptance(written: Accepting) -> Acceptance:
    return Acceptance(
        schema=written.schema,
        regex=written.regex,
        output_contract=None if written.output_contract is None else _kept(written.output_contract),
        logprob=written.logprob,
        verifier=None if written.verifier is None else _alike(VerifierPolicy, written.verifier),
        command=None if written.command is None else _command(written.command),
        agreement=None if written.agreement is None else _agreement(written.agreement),
        judge=None if written.judge is None else _judge(written.judge),
        tool_calls=written.tool_calls,
    )


def _kept(written: Keeping) -> OutputContract:
    return OutputContract(**{name: getattr(written, name) for name in Keeping.__struct_fields__})


def _judge(written: Judging) -> JudgePolicy:
    return _alike(JudgePolicy, written)


def _agreement(written: Agreeing) -> Agreement:
    return _alike(Agreement, written)


def _command(written: Command) -> CommandPolicy:
    return _alike(CommandPolicy, written)


def _alike(shape: type[T], written: Struct) -> T:
    """The policy that has the fields of a section."""
    return shape(**{name: getattr(written, name) for name in shape.__struct_fields__})
