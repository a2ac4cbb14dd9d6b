"""`bascule keys`: virtual keys that clients present instead of a provider's."""

from typing import Any, get_args, get_type_hints

import click

from bascule.cli.data import has_ledger, open_store, read_document
from bascule.cli.output import config_option, json_option, print_json, print_table
from bascule.cli.period import now_ms
from bascule.cli.who import who
from bascule.config.load import Document
from bascule.decide.ask import read_data
from bascule.link.policy import key_policy
from bascule.model.errors import BasculeError, MalformedRequest
from bascule.model.policy import NO_DATA_POLICY, DataPolicy, KeyPolicy, RateLimit
from bascule.offline.moment import LAST_MS, duration_ms, moment_ms
from bascule.offline.payload import key_payload
from bascule.ports import StoredKey

ROLES = get_args(get_type_hints(KeyPolicy)["role"])
COUNT = click.IntRange(min=1)


@click.group("keys")
def command() -> None:
    """Virtual keys. A secret is shown once, when it is made; only its keyed hash is kept."""


@command.command("create")
@click.argument("name")
@click.option("--org", default=None)
@click.option("--team", default=None)
@click.option("--project", default=None)
@click.option("--user", default=None)
@click.option("--models", default="", metavar="A,B", help="Names that may be asked for; default: all.")
@click.option("--max-output-tokens", type=COUNT, default=None, metavar="N")
@click.option("--rpm", type=COUNT, default=None, metavar="N", help="Requests a minute.")
@click.option("--tpm", type=COUNT, default=None, metavar="N", help="Tokens a minute.")
@click.option("--in-flight", type=COUNT, default=None, metavar="N", help="Requests at once.")
@click.option("--tag", "tags", multiple=True, metavar="K=V", help="A tag on everything it does; repeatable.")
@click.option("--expires", default=None, metavar="WHEN", help="A date, or how long from now: 30d.")
@click.option("--data", default=None, metavar="POLICY", help="As x-bascule-data has it: retention=none,region=eu,zdr")
@click.option("--role", type=click.Choice(ROLES), default="member", show_default=True)
@config_option
@json_option
def create(
    name: str,
    org: str | None,
    team: str | None,
    project: str | None,
    user: str | None,
    models: str,
    max_output_tokens: int | None,
    rpm: int | None,
    tpm: int | None,
    in_flight: int | None,
    tags: tuple[str, ...],
    expires: str | None,
    data: str | None,
    role: Any,
    config_path: str | None,
    as_json: bool,
) -> None:
    """Make a key NAME and print its secret, once. A running gateway takes it up within a second."""
    from bascule.storage.keys import create_key, open_pepper

    at_ms = now_ms()
    policy = KeyPolicy(
        name=_name(name),
        org=org,
        team=team,
        project=project,
        user=user,
        models=tuple([model.strip() for model in models.split(",") if model.strip()]),
        max_output_tokens=max_output_tokens,
        rate=RateLimit(rpm=rpm, tpm=tpm, in_flight=in_flight),
        tags=dict([_tag(tag) for tag in tags]),
        role=role,
        source="store",
        expires_ms=_expiry(expires, at_ms),
        data=_data(data),
    )
    document = read_document(config_path)
    _refuse_file_s_own(document, name)
    store = open_store(document)
    new = create_key(store.governance, open_pepper(store.data_dir), policy, by=who(), now_ms=at_ms)
    _print_secret(new.stored, new.secret, as_json)


@command.command("list")
@config_option
@json_option
def list_keys(config_path: str | None, as_json: bool) -> None:
    """Every key, of the file and made by command; never a secret."""
    document = read_document(config_path)
    at_ms = now_ms()
    keys = [key_payload(key_policy(name, key), None, at_ms) for name, key in document.config.keys.items()]
    if has_ledger(document):
        stored = open_store(document).governance.keys()
        keys += [key_payload(key.policy, key, at_ms) for key in stored]
    if as_json:
        print_json(keys)
        return
    columns = ("name", "id", "state", "org", "team", "project", "user", "models", "role", "expires", "from")
    print_table(columns, [_cells(key) for key in keys], optional=("from", "org", "project", "user", "role"))


@command.command("rotate")
@click.argument("name")
@click.option("--overlap", default="0m", show_default=True, metavar="TIME", help="The old secret stays good: 24h")
@config_option
@json_option
def rotate(name: str, overlap: str, config_path: str | None, as_json: bool) -> None:
    """A new secret for NAME, printed once; the old one ends now or after the overlap."""
    from bascule.storage.keys import open_pepper, rotate_key

    try:
        grace_ms = duration_ms(overlap)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--overlap") from None
    document = read_document(config_path)
    _refuse_file_s_own(document, name)
    store = open_store(document)
    hasher = open_pepper(store.data_dir)
    new = rotate_key(store.governance, hasher, name, by=who(), now_ms=now_ms(), grace_ms=grace_ms)
    if new is None:
        raise _no_key(name)
    _print_secret(new.stored, new.secret, as_json)


@command.command("revoke")
@click.argument("name")
@config_option
@json_option
def revoke(name: str, config_path: str | None, as_json: bool) -> None:
    """End the key NAME (or the one with this id) now. A running gateway refuses it within a second."""
    from bascule.storage.keys import revoke_key

    document = read_document(config_path)
    _refuse_file_s_own(document, name)
    ended = revoke_key(open_store(document).governance, name, by=who(), now_ms=now_ms())
    if not ended:
        raise _no_key(name)
    if as_json:
        print_json({"name": name, "revoked": ended})
        return
    click.echo(f"{name}: {ended} secret{'s' if ended != 1 else ''} revoked")


def _print_secret(stored: StoredKey, secret: str, as_json: bool) -> None:
    if as_json:
        print_json({"secret": secret, **key_payload(stored.policy, stored, stored.created_ms)})
        return
    click.echo(secret)
    click.echo(f"The key {stored.policy.name!r} ({stored.key_id}). Its secret is not shown again.", err=True)


def _cells(key: dict[str, Any]) -> tuple[Any, ...]:
    expires = None if key["expires"] is None else f"{key['expires'][:19]}Z"  # to the second: it is read by people
    return (
        key["name"], key["key_id"], key["state"], key["org"], key["team"], key["project"], key["user"],
        ", ".join(key["models"]) or "all", key["role"], expires,
        "file" if key["source"] == "config" else "command",
    )  # fmt: skip


def _name(name: str) -> str:
    if not name.strip() or not name.isprintable() or len(name) > 200:
        raise click.BadParameter("a name has 1 to 200 printable characters", param_hint="NAME")
    return name


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise click.BadParameter(f"{text!r} is not of the form name=value", param_hint="--tag")
    return name, value


def _expiry(text: str | None, at_ms: int) -> int | None:
    if text is None:
        return None
    try:
        ends_ms = at_ms + duration_ms(text)
    except ValueError:
        ends_ms = _end_of(text, at_ms)
    if not at_ms < ends_ms <= LAST_MS:
        raise click.BadParameter(f"{text} is over, or beyond the year 9999", param_hint="--expires")
    return ends_ms


def _end_of(text: str, at_ms: int) -> int:
    """Of a date, where it is no length of time."""
    try:
        return moment_ms(text, at_ms, end=True)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--expires") from None


def _data(text: str | None) -> DataPolicy:
    if text is None:
        return NO_DATA_POLICY
    try:
        return read_data(text, "--data")
    except MalformedRequest as error:
        raise click.BadParameter(str(error), param_hint="--data") from None


def _refuse_file_s_own(document: Document, name: str) -> None:
    if name in document.config.keys:
        raise BasculeError(f"the key {name!r} is defined in {document.file}; change it there")


def _no_key(name: str) -> BasculeError:
    return BasculeError(f"there is no live key {name!r}; `bascule keys list` has all there are")
