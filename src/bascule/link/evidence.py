"""What routes say of challengers, in the words of decisions."""

from bascule.config.evidence import EvidenceConfig, LiveGrader, LiveJudge
from bascule.decide.evidence.enrolment import Patience
from bascule.decide.promotion.policy import EvidencePolicy, GradedBy, JudgedBy
from bascule.decide.promotion.trial import Rules, shared_alpha
from bascule.decide.resolve import resolve
from bascule.link.snapshot import Snapshot
from bascule.model.errors import Refusal


def evidence_policies(snapshot: Snapshot) -> dict[str, EvidencePolicy]:
    """By route, for those that have challengers."""
    return {
        name: _policy(name, route.evidence, snapshot)
        for name, route in snapshot.config.routes.items()
        if route.evidence is not None
    }


def _policy(name: str, asked: EvidenceConfig, snapshot: Snapshot) -> EvidencePolicy:
    rules = Rules(
        margin=asked.margin,
        alpha=asked.alpha,
        false_alarm_sessions=asked.false_alarm_sessions,
        least_sessions=asked.least_sessions,
        canary_sessions=asked.canary_sessions,
        canary_share=asked.canary_share,
        shadow_share=asked.shadow_share,
        watch_share=asked.watch_share,
        holdout=asked.holdout,
        approval=asked.approval,
    )
    return EvidencePolicy(
        route=name,
        incumbent=_model(asked.incumbent, snapshot),
        challengers=tuple([_model(one, snapshot) for one in asked.challengers]),
        tasks=asked.tasks,
        by_prompt=asked.by_prompt,
        graders=_graders(asked.graders),
        judge=_judge(asked.judge, snapshot),
        rules=shared_alpha(rules, len(asked.challengers)),
        patience=Patience(session_ms=round(asked.session_s * 1000), outcome_ms=round(asked.outcome_s * 1000)),
        salt=asked.salt,
        max_nanousd_per_day=asked.max_nanousd_per_day,
        max_in_flight=asked.max_in_flight,
        max_trials=asked.max_trials,
    )


def _model(name: str, snapshot: Snapshot) -> str:
    """The name that candidates of a plan have: aliases followed. A name that leads nowhere was reported already."""
    found = resolve(name, snapshot)
    return name if isinstance(found, Refusal) or found.model is None else found.model.name


def _graders(asked: LiveGrader | None) -> GradedBy | None:
    if asked is None:
        return None
    return GradedBy(schema=asked.schema, regex=asked.regex, absent=asked.absent, contains=asked.contains)


def _judge(asked: LiveJudge | None, snapshot: Snapshot) -> JudgedBy | None:
    if asked is None:
        return None
    return JudgedBy(
        model=_model(asked.model, snapshot),
        criteria=asked.criteria,
        labels=asked.labels,
        error=asked.error,
        max_output_tokens=asked.max_output_tokens,
    )
