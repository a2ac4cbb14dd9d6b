"""One task described by options instead of a file: calls, tokens, content, optimisations."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import click
from msgspec import Struct

from bascule.cli.numbers import bounded
from bascule.config.suggest import remedy
from bascule.offline.optimisation import KINDS, Kind, Optimisation, mistake
from bascule.offline.quantity import ZERO, Span
from bascule.offline.workloads import CONTENT, ModelPrice, Workload, content_tokens

GIVEN = "given"
"""The name of a model that is known by its prices alone."""


ALL_TOKENS = "all tokens"
"""The task that a month's tokens are, where nobody says how many calls they take."""


class Volumes(Struct, frozen=True, kw_only=True):
    """What the options say about calls and tokens."""

    input_tokens: int | None
    output_tokens: int | None
    calls: Span | None
    in_per_call: Span | None
    out_per_call: Span | None
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    @property
    def per_call(self) -> bool:
        return self.in_per_call is not None or self.out_per_call is not None or bool(self.reads or self.writes)


def task_of(volumes: Volumes, model: str) -> Workload:
    """Raises click.UsageError where the volumes do not add up to a task."""
    if volumes.calls is None:
        if volumes.per_call:
            raise click.UsageError("--in-per-call, --out-per-call, --reads and --writes need --calls")
        once = Span(Fraction(1), Fraction(1))
        tokens_in, tokens_out = [_whole(count) for count in (volumes.input_tokens, volumes.output_tokens)]
        return Workload(
            task=ALL_TOKENS,
            calls=once,
            model=model,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            of_many_calls=True,
        )
    if volumes.input_tokens is not None or volumes.output_tokens is not None:
        raise click.UsageError(
            "--calls takes tokens per call: --in-per-call and --out-per-call, or --reads and --writes"
        )
    if not volumes.per_call:
        raise click.UsageError("--calls needs --in-per-call and --out-per-call, or --reads and --writes")
    return Workload(
        task="all calls",
        calls=volumes.calls,
        model=model,
        tokens_in=(volumes.in_per_call or ZERO) + _content(volumes.reads, "--reads"),
        tokens_out=(volumes.out_per_call or ZERO) + _content(volumes.writes, "--writes"),
    )


def given_price(price_input: Decimal | None, price_output: Decimal | None) -> ModelPrice:
    return ModelPrice(
        model=GIVEN,
        input=None if price_input is None else Fraction(price_input),
        output=None if price_output is None else Fraction(price_output),
    )


def optimisations_of(shares: Sequence[str], savings: Sequence[str]) -> tuple[Optimisation, ...]:
    """`--optimise KIND=SHARE`, `routing=SHARE:MODEL`, and `--saves KIND=SHARE`. Raises click.BadParameter."""
    found = []
    for text in shares:
        kind, value = _named(text, "--optimise")
        share, _, to = value.partition(":")
        made = Optimisation(kind=kind, share=bounded(share, 1), to=to or None)
        wrong = mistake(made)
        if wrong is not None:
            example = f"{kind}={share}:MODEL" if kind == "routing" else f"{kind}={share}"
            raise click.BadParameter(f"{text!r} {wrong[0]}; write e.g. {example}", param_hint="--optimise")
        found.append(made)
    for text in savings:
        kind, value = _named(text, "--saves")
        found.append(Optimisation(kind=kind, saves=bounded(value, 1)))
    return tuple(found)


def _named(text: str, option: str) -> tuple[Kind, str]:
    name, equals, value = text.partition("=")
    kind = next((one for one in KINDS if one == name.strip().replace("-", "_")), None)
    if kind is None or not equals:
        mend = remedy(name, KINDS, "optimisation") if equals else "Write KIND=SHARE, e.g. batch=0.5"
        raise click.BadParameter(f"{text!r} is no optimisation. {mend}", param_hint=option)
    return kind, value


def _content(items: Sequence[str], option: str) -> Span:
    counts: dict[str, Span] = {}
    for text in items:
        name, equals, count = text.partition("=")
        if name not in CONTENT:
            mend = remedy(name, CONTENT, "content type")
            raise click.BadParameter(f"{name!r} is no content type. {mend}", param_hint=option)
        counts[name] = counts.get(name, ZERO) + (bounded(count) if equals else Span(Fraction(1), Fraction(1)))
    return content_tokens(counts, CONTENT)


def _whole(count: int | None) -> Span | None:
    return None if count is None else Span(Fraction(count), Fraction(count))
