"""`bascule evidence`: who has earned which traffic, on what evidence, and the word of those who may overrule it."""

from collections.abc import Callable
from typing import Any

import click
import msgspec

from bascule.cli.evidencing.reading import Book, details, entries, found_trial, read_book
from bascule.cli.evidencing.showing import money_payload, named, show, trial_payload
from bascule.cli.evidencing.why import explained, why_payload
from bascule.cli.output import config_option, json_option, print_json, print_table
from bascule.cli.period import iso_second, now_ms
from bascule.cli.who import who
from bascule.decide.promotion.policy import EvidencePolicy
from bascule.decide.promotion.step import Transition, approved, demoted, pinned, unpinned
from bascule.decide.promotion.trial import Trial
from bascule.model.errors import BasculeError
from bascule.offline.evidence import first_promotions, route_money
from bascule.ports import KeptTrial

Step = Callable[[Trial, EvidencePolicy], tuple[Trial, Transition | None]]
TAKEN_UP = "A running gateway takes it up within five seconds."


@click.group("evidence", invoke_without_command=True)
@click.pass_context
@config_option
@json_option
def command(context: click.Context, config_path: str | None, as_json: bool) -> None:
    """Which models have earned which traffic, on what evidence, at which error rate, and what that saves."""
    if context.invoked_subcommand is not None:
        return
    book = read_book(config_path)
    money = route_money(book.store.view.attempts(), book.policies, first_promotions(details(book)))
    if as_json:
        trials = [trial_payload(book, kept) for kept in book.trials]
        print_json({"trials": trials, "savings": [money_payload(one) for one in money]})
        return
    show(book, money)


@command.command("why")
@click.argument("request_id", metavar="REQUEST_ID")
@config_option
@json_option
def why(request_id: str, config_path: str | None, as_json: bool) -> None:
    """From a request to why that model answered it, and how to take it out of service."""
    book = read_book(config_path)
    if as_json:
        print_json(why_payload(book, request_id))
        return
    for line in explained(book, request_id):
        click.echo(line)


@command.command("history")
@click.argument("trial", required=False)
@config_option
@json_option
def history(trial: str | None, config_path: str | None, as_json: bool) -> None:
    """Every transition with its evidence, from the audit trail."""
    book = read_book(config_path)
    found = entries(book, None if trial is None else found_trial(book, trial)[0].trial_id)
    if as_json:
        print_json([msgspec.to_builtins(entry) for entry in found])
        return
    if not found:
        click.echo("No transition yet.")
        return
    rows = [
        (
            iso_second(entry.ts_ms), entry.target[:8], entry.detail["key"]["challenger"], entry.detail["key"]["task"],
            entry.detail["before"], entry.detail["after"], entry.by, entry.detail["reason"],
        )
        for entry in found
    ]  # fmt: skip
    print_table(("when", "trial", "challenger", "task", "from", "to", "by", "why"), rows)


@command.command("approve")
@click.argument("trial")
@config_option
def approve(trial: str, config_path: str | None) -> None:
    """Agree to a promotion that waits for it, or let a demoted challenger try anew, from no evidence."""
    _decide(config_path, trial, lambda found, policy: approved(found, policy.rules, now_ms(), by=who()))


@command.command("demote")
@click.argument("trial")
@click.option("--reason", default="somebody said so", help="For the audit trail.")
@config_option
def demote(trial: str, reason: str, config_path: str | None) -> None:
    """Take a challenger out of service. It stays out until somebody approves that it tries anew."""
    _decide(config_path, trial, lambda found, policy: demoted(found, policy.rules, now_ms(), by=who(), reason=reason))


@command.command("pin")
@click.argument("trial")
@click.option("--off", is_flag=True, help="Let evidence decide again.")
@config_option
def pin(trial: str, off: bool, config_path: str | None) -> None:
    """Let the incumbent serve, whatever the evidence says; comparing goes on, from no evidence."""
    if off:
        _decide(config_path, trial, lambda found, policy: unpinned(found, policy.rules, now_ms(), by=who()))
    else:
        _decide(config_path, trial, lambda found, policy: pinned(found, policy.rules, now_ms(), by=who()))


@command.command("label")
@click.argument("request_id", metavar="REQUEST_ID", required=False)
@click.argument("verdict", type=click.Choice(["challenger", "incumbent", "same"]), required=False)
@config_option
@json_option
def label(request_id: str | None, verdict: str | None, config_path: str | None, as_json: bool) -> None:
    """Say whose answer to a compared request is better, so that a judge's error becomes known.

    Without arguments: the requests to label next. Label them in that order, whatever the judge has said.
    """
    book = read_book(config_path)
    store = book.store.stores.evidence
    if request_id is None:
        _to_label(book, as_json)
        return
    if verdict is None:
        raise click.UsageError("say whose answer is better: challenger, incumbent or same")
    pairs = store.pairs_of(request_id)
    if not pairs:
        raise BasculeError(f"{request_id} was not answered by two models; `bascule evidence label` lists what was")
    difference = {"challenger": 1.0, "incumbent": -1.0, "same": 0.0}[verdict]
    for pair in pairs:
        store.label(pair.pair_id, difference)
    if as_json:
        print_json({"request_id": request_id, "label": difference, "pairs": len(pairs)})
    else:
        click.echo(f"{request_id}: {verdict}")


def _to_label(book: Book, as_json: bool) -> None:
    store = book.store.stores.evidence
    found: list[dict[str, Any]] = []
    for kept in book.trials:
        judge = book.policies[kept.trial.key.route].judge
        if kept.trial.judge is not None or judge is None:
            continue
        missing = judge.labels - len(store.labelled(kept.trial_id))
        graded = [pair for pair in store.waiting(kept.trial_id) if pair.difference is not None]
        found += [
            {
                "trial": kept.trial_id, "request_id": pair.request_id, "session_id": pair.session_id,
                "labels_missing": missing,
            }
            for pair in graded[: max(0, missing)]
        ]  # fmt: skip
    if as_json:
        print_json(found)
    elif not found:
        click.echo("No judge waits for labels.")
    else:
        rows = [(one["trial"][:8], one["request_id"], one["session_id"], one["labels_missing"]) for one in found[:50]]
        print_table(("trial", "request", "session", "labels missing"), rows)


def _decide(config_path: str | None, name: str, step: Step) -> None:
    book = read_book(config_path)
    kept, policy = found_trial(book, name)
    try:
        trial, transition = step(kept.trial, policy)
    except ValueError as error:
        raise BasculeError(str(error)) from error
    _save(book, kept, trial, transition)
    click.echo(f"{named(kept)}: {'pinned' if trial.pinned_by else trial.state}. {TAKEN_UP}")


def _save(book: Book, kept: KeptTrial, trial: Trial, transition: Transition | None) -> None:
    if not book.store.stores.evidence.save(kept, trial, transition=transition):
        raise BasculeError("the trial has just changed; look at `bascule evidence` and try again")
