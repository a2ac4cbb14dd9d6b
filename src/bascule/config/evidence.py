"""What a route says of challengers that may earn its traffic. docs/evidence.md."""

from typing import Annotated

from msgspec import Meta, field

from bascule.config.scalars import Name, NanoUsd
from bascule.config.section import Count, Section, Share

OpenShare = Annotated[float, Meta(gt=0, lt=1)]
SessionSeconds = Annotated[float, Meta(ge=0, le=86_400)]
OutcomeSeconds = Annotated[float, Meta(gt=0, le=2_592_000)]


class LiveGrader(Section, frozen=True, kw_only=True):
    """What an answer has to pass; all that is written here must hold. It says what is right without a right answer."""

    schema: bool = False
    """It is JSON of the schema that the request asks for. Says nothing of requests that ask for none: without another
    grader or a judge they are not compared."""
    regex: str | None = None
    """This is found in it (RE2)."""
    absent: str | None = None
    """This is not found in it (RE2)."""
    contains: tuple[Name, ...] = ()
    """All these words are in it, whatever their case; the score is their share."""


class LiveJudge(Section, frozen=True, kw_only=True):
    """A model that compares two answers where graders find no difference. It is blind, and asked in both orders."""

    model: Name
    """Who judges; better neither the incumbent nor a challenger."""
    criteria: str | None = None
    """What is a good answer, for the judge to read. Left out: correct, complete, and what was asked for."""
    labels: Annotated[int, Meta(ge=20, le=100_000)] = 500
    """Pairs that people label before its word counts, so that its error is known (`bascule evidence label`)."""
    error: OpenShare | None = None
    """The most by which its mean verdict is wrong, where that was measured elsewhere; then no labels are waited for."""
    max_output_tokens: Annotated[int, Meta(ge=16, le=128_000)] = 1_000
    """Of what it says, its thinking included."""


class EvidenceConfig(Section, frozen=True, kw_only=True):
    """Challengers are compared with the incumbent on the route's own traffic, and serve once they have proved that they
    are not worse by `margin`."""

    incumbent: Name
    """Among the candidates: who serves until somebody else has earned it."""
    challengers: Annotated[tuple[Name, ...], Meta(min_length=1)]
    """Among the candidates, the most wanted first. They serve nothing that they have not earned."""
    tasks: tuple[Name, ...] = ()
    """Only these are compared; empty: all, each for itself. What has no known task is `default`."""
    by_prompt: bool = True
    """Every system prompt with its tools is a case of its own (digits in it do not count)."""
    graders: LiveGrader | None = None
    judge: LiveJudge | None = None
    """Graders, a judge, or both: graders go first."""
    margin: OpenShare = 0.05
    """How much worse a challenger may be, of 1."""
    alpha: OpenShare = 0.05
    """At most this chance to promote a challenger that is worse by the margin or more, however often one looks. The
    challengers at one task share it."""
    false_alarm_sessions: Count = 5_000
    """Compared sessions until a false demotion, on average and at least, while quality is exactly at the margin."""
    least_sessions: Count = 30
    """Compared sessions before a promotion, whatever the test says."""
    canary_sessions: Count = 100
    """Compared sessions while it serves a share, before it serves all."""
    shadow_share: Share = 0.1
    """Of requests that are answered by both, until the challenger is promoted, and under suspicion."""
    watch_share: Share = 0.02
    """The same once it is promoted."""
    canary_share: Share = 0.1
    """Of sessions that a challenger serves before it is promoted."""
    holdout: Share = 0.05
    """Of sessions that the incumbent goes on serving: they tell what is really saved."""
    salt: str = ""
    """Another one draws holdout and canaries anew."""
    approval: bool = False
    """Somebody has to approve each promotion (`bascule evidence approve`)."""
    session_s: SessionSeconds = 3_600.0
    """A session's pairs count together; after so long it is closed."""
    outcome_s: OutcomeSeconds = 86_400.0
    """Grades that come later than so long after that count against the challenger."""
    max_nanousd_per_day: NanoUsd = field(name="max_usd_per_day", default=5_000_000_000)
    """All that shadows and judges of this route may cost in a UTC day, in all workers together."""
    max_in_flight: Annotated[int, Meta(ge=1, le=1_000)] = 8
    """Comparisons at once in each worker; what is beyond is not compared, and counted."""
    max_trials: Annotated[int, Meta(ge=1, le=10_000)] = 200
    """Challengers times tasks times prompts that are followed; what is beyond is not compared, and counted."""
