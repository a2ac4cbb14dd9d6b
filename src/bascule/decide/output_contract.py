"""An output contract: what an answer is for, and what it must and must not be. Pure.

Rules that can be checked without a model are checked here: shape, length, words that policy demands or forbids, claims
that no source supports. Objective and audience are for whoever writes the prompt and for a judge; see `criteria`.
"""

from msgspec import Struct

from bascule.decide.grade import Graded, Score, shown
from bascule.decide.json_schema import GraderError, SchemaCheck, json_in
from bascule.decide.unsupported import unsupported
from bascule.model.output_contract import OutputContract

MAX_TOLD = 5


class Breach(Struct, frozen=True):
    """A rule that an answer breaks."""

    rule: str
    why: str


def criteria(contract: OutputContract) -> str:
    """The contract in words, for a judge."""
    parts = ["Does the answer keep this contract?"]
    if contract.objective is not None:
        parts.append(f"Objective: {contract.objective}.")
    if contract.audience is not None:
        parts.append(f"It is written for: {contract.audience}.")
    if _has_sources(contract):
        parts.append("Each of its claims must be supported by the reference, which has the sources.")
    return " ".join(parts)


def prepare_output_contract(contract: OutputContract) -> Graded:
    """The contract as a grader. With `from_request` what was asked must stand among its sources. Raises GraderError
    where it asks for nothing or its schema is wrong."""
    rules = rules_of(contract)
    if not rules and not contract.judge:
        raise GraderError("the contract has no rule that can be checked; add one, or `judge: true`")
    check = None if contract.schema is None else SchemaCheck(contract.schema)

    def score(answer: str) -> Score:
        broken = breaches(contract, answer, check)
        if not broken:
            return Score(1.0, f"keeps all {len(rules)} rules of its contract")
        told = "; ".join([f"{breach.rule}: {breach.why}" for breach in broken])
        return Score(1 - len(broken) / len(rules), told)

    return score


def rules_of(contract: OutputContract) -> tuple[str, ...]:
    """Names of the rules that it has."""
    has = {
        "schema": contract.schema is not None,
        "length": contract.min_words is not None or contract.max_words is not None,
        "sections": bool(contract.sections),
        "required": bool(contract.required),
        "forbidden": bool(contract.forbidden),
        "sources": _has_sources(contract),
    }
    return tuple([name for name, there in has.items() if there])


def breaches(contract: OutputContract, answer: str, check: SchemaCheck | None) -> list[Breach]:
    """The rules that an answer breaks, each once. `check`: of the contract's schema."""
    found = {
        "schema": None if check is None else _shape(check, answer),
        "length": _length(contract, answer),
        "sections": _sections(contract.sections, answer),
        "required": _missing(contract.required, answer),
        "forbidden": _present(contract.forbidden, answer),
        "sources": _claims(contract, answer),
    }
    return [Breach(rule, why) for rule, why in found.items() if why is not None]


def _shape(check: SchemaCheck, answer: str) -> str | None:
    try:
        return check.mistake(json_in(answer))
    except ValueError as error:
        return f"is not JSON: {error}"


def _length(contract: OutputContract, answer: str) -> str | None:
    words = len(answer.split())
    if contract.min_words is not None and words < contract.min_words:
        return f"{words} words, at least {contract.min_words} are wanted"
    if contract.max_words is not None and words > contract.max_words:
        return f"{words} words, at most {contract.max_words} are wanted"
    return None


def _sections(sections: tuple[str, ...], answer: str) -> str | None:
    lines = [line.strip(" \t#*_:").casefold() for line in answer.splitlines()]
    place = 0
    for section in sections:
        try:
            place = lines.index(section.casefold(), place) + 1
        except ValueError:
            return f"there is no {shown(section)}" + (" after those before it" if place else "")
    return None


def _missing(words: tuple[str, ...], answer: str) -> str | None:
    text = _spaced(answer)
    missing = [shown(word) for word in words if word.casefold() not in text]
    return f"lacks {', '.join(missing[:MAX_TOLD])}" if missing else None


def _present(words: tuple[str, ...], answer: str) -> str | None:
    text = "".join([char if char.isalnum() else " " for char in answer.casefold()])
    padded = f" {' '.join(text.split())} "
    found = [shown(word) for word in words if f" {_words(word)} " in padded]
    return f"has {', '.join(found[:MAX_TOLD])}" if found else None


def _has_sources(contract: OutputContract) -> bool:
    return bool(contract.sources) or contract.from_request


def _claims(contract: OutputContract, answer: str) -> str | None:
    if not _has_sources(contract):
        return None
    claims = unsupported(answer, contract.sources, allowed=contract.allowed)
    if not claims:
        return None
    told = ", ".join([f"{shown(claim.what)} in {shown(claim.sentence)}" for claim in claims[:MAX_TOLD]])
    more = f", and {len(claims) - MAX_TOLD} more" if len(claims) > MAX_TOLD else ""
    return f"no source has {told}{more}"


def _words(text: str) -> str:
    return " ".join("".join([char if char.isalnum() else " " for char in text.casefold()]).split())


def _spaced(text: str) -> str:
    return " ".join(text.split()).casefold()
