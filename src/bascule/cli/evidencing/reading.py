"""The trials of a data directory with the rules that they are held to."""

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from bascule.cli.data import open_existing, read_document, read_names
from bascule.config.load import Document
from bascule.decide.promotion.policy import EvidencePolicy
from bascule.decide.promotion.step import Evidence, evidence_of, is_waiting_for_approval
from bascule.link.evidence import evidence_policies
from bascule.model.audit import AuditEntry
from bascule.model.errors import BasculeError
from bascule.ports import KeptTrial

if TYPE_CHECKING:
    from bascule.compose import Store

LEAST_PREFIX = 4


class Book(Struct, frozen=True):
    store: "Store"
    policies: dict[str, EvidencePolicy]
    trials: list[KeptTrial]
    """Those of routes that have challengers now."""


def read_book(config_path: str | None) -> Book:
    """Raises BasculeError where no route has challengers."""
    document: Document = read_document(config_path)
    snapshot = read_names(config_path, needed=True)
    assert snapshot is not None  # it is needed
    policies = evidence_policies(snapshot)
    if not policies:
        raise BasculeError(
            "no route has challengers: add `evidence: {incumbent: …, challengers: […]}` to one (docs/evidence.md)"
        )
    store = open_existing(document)
    kept = [
        one
        for one in store.stores.evidence.trials()
        if one.trial.key.route in policies and one.trial.key.challenger in policies[one.trial.key.route].challengers
    ]
    return Book(store, policies, kept)


def found_trial(book: Book, name: str) -> tuple[KeptTrial, EvidencePolicy]:
    """The one whose id begins so. Raises BasculeError."""
    matching = [one for one in book.trials if one.trial_id.startswith(name)]
    if len(name) < LEAST_PREFIX or len(matching) != 1:
        what = "no trial's id begins" if not matching else f"{len(matching)} trials' ids begin"
        raise BasculeError(f"{what} with {name!r}; `bascule evidence` lists them, and a few letters are enough")
    return matching[0], book.policies[matching[0].trial.key.route]


def current(book: Book, kept: KeptTrial) -> Evidence:
    return evidence_of(kept.trial, book.policies[kept.trial.key.route].rules)


def state_of(book: Book, kept: KeptTrial) -> str:
    """The state in words: what it waits for, and who has pinned it."""
    trial, rules = kept.trial, book.policies[kept.trial.key.route].rules
    if trial.pinned_by is not None:
        return "pinned"
    if trial.judge is None:
        return "needs labels"
    return "needs approval" if is_waiting_for_approval(trial, rules) else trial.state


def entries(book: Book, trial_id: str | None = None) -> list[AuditEntry]:
    """What the audit trail says of trials, oldest first."""
    return [
        entry
        for entry in book.store.governance.audit()
        if entry.action.startswith("evidence.") and trial_id in (None, entry.target)
    ]


def details(book: Book) -> list[dict[str, Any]]:
    return [entry.detail for entry in entries(book)]
