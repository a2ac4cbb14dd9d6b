"""A plan read from YAML into what the calculators take, with everything that is wrong with it by line and remedy."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from msgspec import Struct

from bascule.config.decode import decode
from bascule.config.document import parse
from bascule.config.places import Path as Place
from bascule.config.places import Places
from bascule.config.suggest import remedy
from bascule.model.errors import ConfigError, Problem
from bascule.offline.background import DAYS, Agent
from bascule.offline.optimisation import BATCH_DISCOUNT, Optimisation, mistake
from bascule.offline.pipelines import Pipeline, Step
from bascule.offline.plan_shape import Amount, CallShape, OptimisationShape, PipelineShape, PlanShape
from bascule.offline.quantity import ZERO, Span, span
from bascule.offline.workloads import CONTENT, Content, ModelPrice, Workload, content_tokens

UNREADABLE = Span(Fraction(0), Fraction(0))


class Plan(Struct, frozen=True, kw_only=True):
    """A month's work."""

    prices: Mapping[str, ModelPrice] = {}
    baseline: str | None = None
    baseline_usd_per_call: Span | None = None
    workloads: tuple[Workload, ...] = ()
    optimisations: tuple[Optimisation, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()
    agents: tuple[Agent, ...] = ()
    days: Fraction = DAYS


def read_plan(text: str, file: str) -> Plan:
    """Raises ConfigError with every mistake, each with its place and its remedy."""
    places = Places(file)
    node, syntax = parse(text, file)
    shape, problems = decode(node, PlanShape, places)
    reader = _Reader(shape, places)
    plan = reader.plan()
    found = (*syntax, *problems, *reader.problems)
    if not found and not (plan.workloads or plan.pipelines or plan.agents):
        found = (Problem(file, "holds no work", "Add `tasks`, `pipelines` or `agents`; see docs/calculators.md"),)
    if found:
        raise ConfigError(found)
    return plan


def read_text(path: Path) -> str:
    """A file of a plan or of assumptions. Raises ConfigError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        what = f"cannot be read: {error.strerror or 'error'}"
        raise ConfigError((Problem(str(path), what, "Give an existing file"),)) from error
    except UnicodeDecodeError as error:
        raise ConfigError((Problem(str(path), "not UTF-8", "Save the file as UTF-8"),)) from error


class _Reader:
    """From the shape to values, collecting mistakes."""

    def __init__(self, shape: PlanShape, places: Places) -> None:
        self.shape = shape
        self.places = places
        self.problems: list[Problem] = []
        own = {name: Content(Fraction(tokens), "of this plan") for name, tokens in shape.content.items()}
        self.content: Mapping[str, Content] = {**CONTENT, **own}

    def wrong(self, place: Place, what: str, mend: str) -> None:
        self.problems.append(self.places.problem(place, what, mend))

    def plan(self) -> Plan:
        shape = self.shape
        for name, tokens in shape.content.items():
            if tokens < 0:
                self.wrong(("content", name), f"`{name}` has fewer than no tokens", "Write its tokens from 0 up")
        tasks = [
            self.call(one, one.task, self.amount(one.calls, ("tasks", i, "calls")), ("tasks", i))
            for i, one in enumerate(shape.tasks)
        ]
        baseline = shape.baseline
        stated = None if baseline is None else baseline.usd_per_call
        return Plan(
            prices={name: self.price(name) for name in shape.prices},
            baseline=None if baseline is None else baseline.model,
            baseline_usd_per_call=None if stated is None else self.amount(stated, ("baseline", "usd_per_call")),
            workloads=tuple(tasks),
            optimisations=tuple([self.optimisation(one, i) for i, one in enumerate(shape.optimisations)]),
            pipelines=tuple([self.pipeline(one, i) for i, one in enumerate(shape.pipelines)]),
            agents=tuple(
                [
                    Agent(
                        check=self.call(
                            one, one.agent, self.amount(one.per_day, ("agents", i, "per_day")), ("agents", i)
                        )
                    )
                    for i, one in enumerate(shape.agents)
                ]
            ),
            days=Fraction(shape.days),
        )

    def amount(self, value: Amount, place: Place, most: int | None = None) -> Span:
        try:
            found = span(value)
        except ValueError as error:
            self.wrong(place, f"`{place[-1]}`: {error}", "Write one number, or two as [low, high]")
            return UNREADABLE
        if found.low < 0:
            self.wrong(place, f"`{place[-1]}` is negative", "Write a number from 0 up")
        elif most is not None and found.high > most:
            self.wrong(place, f"`{place[-1]}` is above {most}", f"Write a share from 0 to {most}, e.g. 0.4 or 40%")
        return found

    def optional(self, value: Amount | None, place: Place, most: int | None = None) -> Span | None:
        return None if value is None else self.amount(value, place, most)

    def price(self, name: str) -> ModelPrice:
        given = self.shape.prices[name]

        def rate(field: str, value: Decimal | None) -> Fraction | None:
            return None if value is None else self.amount(value, ("prices", name, field)).low

        return ModelPrice(
            model=name,
            source=self.places.file,
            input=rate("input", given.input),
            output=rate("output", given.output),
            cache_read=rate("cache_read", given.cache_read),
            cache_write=rate("cache_write", given.cache_write),
        )

    def call(self, shape: CallShape, name: str, calls: Span, place: Place) -> Workload:
        """A task, step or check with its tokens counted."""
        tokens_in = self.tokens(shape.tokens_in, shape.reads, (*place, "reads"), (*place, "tokens_in"))
        tokens_out = self.tokens(shape.tokens_out, shape.writes, (*place, "writes"), (*place, "tokens_out"))
        stated = self.optional(shape.usd_per_call, (*place, "usd_per_call"))
        if (stated is None) == (tokens_in is None and tokens_out is None):
            what = "states neither tokens nor a cost" if stated is None else "states both tokens and a cost of a call"
            mend = "Write `tokens_in` and `tokens_out` (or `reads` and `writes`), or `usd_per_call` alone"
            self.wrong(place, f"`{name}` {what}", mend)
        if stated is None and shape.model is None:
            self.wrong(place, f"`{name}` names no model, so its tokens have no price", "Add `model: …`")
        share = shape.output_cost_share
        if share is not None and not 0 <= share <= 1:
            self.wrong((*place, "output_cost_share"), "`output_cost_share` is no share", "Write a number from 0 to 1")
        return Workload(
            task=name,
            calls=calls,
            model=shape.model,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            usd_per_call=stated,
            output_cost_share=None if share is None else Fraction(share),
        )

    def tokens(self, given: Amount | None, items: Mapping[str, Amount], place: Place, own: Place) -> Span | None:
        counts: dict[str, Span] = {}
        for name, count in items.items():
            if name in self.content:
                counts[name] = self.amount(count, (*place, name))
            else:
                self.wrong((*place, name), f"`{name}` is no content type", remedy(name, self.content, "content type"))
        if given is None and not items:
            return None
        return content_tokens(counts, self.content) + (ZERO if given is None else self.amount(given, own))

    def optimisation(self, shape: OptimisationShape, index: int) -> Optimisation:
        place: Place = ("optimisations", index)
        one = Optimisation(
            kind=shape.kind,
            share=self.optional(shape.share, (*place, "share"), 1),
            saves=self.optional(shape.saves, (*place, "saves"), 1),
            to=shape.to,
            write_share=self.optional(shape.write_share, (*place, "write_share"), 1) or ZERO,
            read=None if shape.read is None else self.amount(shape.read, (*place, "read")).low,
            write=None if shape.write is None else self.amount(shape.write, (*place, "write")).low,
            discount=BATCH_DISCOUNT if shape.discount is None else Fraction(shape.discount),
            tasks=shape.tasks,
        )
        found = mistake(one)
        if found is not None:
            self.wrong(place, f"`{shape.kind}` {found[0]}", found[1])
        known = {task.task for task in self.shape.tasks}
        for i, task in enumerate(shape.tasks):
            if task not in known:
                self.wrong((*place, "tasks", i), f"`{task}` is no task of this plan", remedy(task, known, "task"))
        return one

    def pipeline(self, shape: PipelineShape, index: int) -> Pipeline:
        place: Place = ("pipelines", index)
        steps = []
        for i, one in enumerate(shape.steps):
            at: Place = (*place, "steps", i)
            call = self.call(one, one.step, self.amount(one.times, (*at, "times")), at)
            steps.append(Step(call=call, when=self.amount(one.when, (*at, "when"), 1)))
        return Pipeline(name=shape.pipeline, tasks=self.optional(shape.tasks, (*place, "tasks")), steps=tuple(steps))
