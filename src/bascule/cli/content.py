"""`bascule content`: what was recorded of requests, and erasing what was recorded of a user or session."""

import os

import click

from bascule.cli.data import data_dir_of, open_existing, read_document
from bascule.cli.output import config_option, json_option, print_json
from bascule.cli.period import iso, now_ms
from bascule.cli.who import who
from bascule.config.load import Document
from bascule.config.secret import Secret
from bascule.model.content import Recording, Subject
from bascule.model.errors import BasculeError
from bascule.offline.content import erase, recording_payload, show
from bascule.storage.sqlite.content import SqliteContent


@click.group("content")
def command() -> None:
    """What was recorded of requests (`privacy.record_content`), and erasing it. Each use is in the audit trail."""


@command.command("show")
@click.argument("request_id")
@config_option
@json_option
def show_request(request_id: str, config_path: str | None, as_json: bool) -> None:
    """Print what was recorded of a request, attempt by attempt. Needs the key that it is sealed under."""
    document = read_document(config_path)
    content = content_of(document)
    governance = open_existing(document).governance
    found = show(content, governance, request_id, by=who(), now_ms=now_ms())
    if not found:
        raise BasculeError(f"nothing is recorded of {request_id!r}")
    if as_json:
        print_json([recording_payload(one) for one in found])
        return
    for one in found:
        _print(one)


@command.command("erase")
@click.option("--user", default=None, help="All that was recorded of this user.")
@click.option("--session", "session_id", default=None, help="All that was recorded of this session.")
@config_option
@json_option
def erase_subject(user: str | None, session_id: str | None, config_path: str | None, as_json: bool) -> None:
    """Delete the recorded content of a user or session. The ledger's rows stay: they hold no content.

    What a running gateway has in memory goes with its time; the admin API's DELETE /bascule/api/content erases
    that too.
    """
    if (user is None) == (session_id is None):
        raise click.UsageError("name whose content: either --user or --session")
    subject = Subject(user=user, session_id=session_id)
    document = read_document(config_path)
    erased = erase(_content(document, ()), open_existing(document).governance, subject, by=who(), now_ms=now_ms())
    if as_json:
        print_json({"subject": str(subject), "erased": erased})
    else:
        click.echo(f"{subject}: {erased} recordings and replies erased")


def _print(one: Recording) -> None:
    payload = recording_payload(one)
    cut = ", cut" if one.cut else ""
    click.echo(f"{one.attempt_id}  {iso(one.ts_ms)}  status {one.status or 'none'}{cut}")
    for part, size in (("request", one.request_bytes), ("answer", one.answer_bytes)):
        told = payload[part]
        click.echo(f"{part} ({size:,} bytes): {'digest ' + str(payload[part + '_digest']) if told is None else told}")


def content_of(document: Document) -> SqliteContent:
    """What was recorded, to be read. Raises BasculeError where nothing was, or its key is missing."""
    return _content(document, _secrets(document))


def _content(document: Document, secrets: tuple[Secret, ...]) -> SqliteContent:
    from bascule.storage.content.open import open_store

    shared = open_existing(document).stores.replies
    content = open_store(document.config.privacy, secrets, data_dir_of(document), shared)
    if content is None:
        raise BasculeError("nothing is or was recorded in this data directory (privacy.record_content is none)")
    return content


def _secrets(document: Document) -> tuple[Secret, ...]:
    """Of recordings alone: those of providers may be missing here. Raises BasculeError."""
    from bascule.config.sources import SecretMissing, Secrets

    privacy = document.config.privacy
    references = [ref for ref in (privacy.content_key, *privacy.previous_content_keys) if ref is not None]
    source = Secrets(os.environ, document.directory)
    try:
        return tuple([secret for secret in map(source.read, references) if secret is not None])
    except SecretMissing as error:
        raise BasculeError(f"privacy.content_key: {error.what}. {error.remedy}") from error
