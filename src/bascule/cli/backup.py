"""`bascule backup`: a copy of the data directory while a gateway serves, its proof, and putting it back."""

import sys
import tempfile
import time
from pathlib import Path

import click

from bascule import __version__
from bascule.cli.data import data_dir_of, read_document
from bascule.cli.output import config_option, json_option, print_json
from bascule.cli.period import iso, now_ms
from bascule.cli.progress import counting
from bascule.config.shape import Config
from bascule.model.errors import BasculeError
from bascule.offline.audit import read_trail
from bascule.offline.verify import verify_ledger
from bascule.storage.backup import Manifest, back_up, restore
from bascule.storage.replica import FILE_NAME as REPLICA
from bascule.storage.sqlite.connect import FILE_NAME as LEDGER

ARCHIVE = click.Path(dir_okay=False, exists=True, path_type=Path)


@click.group("backup")
def command() -> None:
    """A copy of the data directory while a gateway serves from it, its proof, and putting it back."""


@command.command("create")
@click.option("--out", "out_path", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write there.")
@config_option
@json_option
def create(out_path: Path | None, config_path: str | None, as_json: bool) -> None:
    """Write ledger, journals, keys, budgets and audit trail into one archive.

    As secret as the data directory. With `database:` the ledger is in PostgreSQL, which has backups of its own; the
    archive then holds what lies beside it.
    """
    document = read_document(config_path)
    data_dir = data_dir_of(document)
    _judge_served(data_dir, shared=document.config.database is not None)
    made_ms = now_ms()
    archive = out_path or Path(time.strftime("bascule-%Y%m%dT%H%M%SZ.tar.gz", time.gmtime(made_ms / 1000)))
    with counting("copying") as progress:
        manifest = back_up(data_dir, archive, made_ms=made_ms, program=__version__, progress=progress)
    if as_json:
        print_json(_document(archive, manifest))
        return
    size = f"{len(manifest.files)} files, {archive.stat().st_size:,} bytes"
    click.echo(f"{archive}: {size} of {data_dir.absolute()}; keep it as secret as that")
    if document.config.database is not None:
        click.echo("The ledger is in PostgreSQL and not in this archive: back that up with pg_dump", err=True)


@command.command("restore")
@click.argument("archive", type=ARCHIVE)
@click.option(
    "--to",
    "target",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="A directory that is empty or not there yet; else the configuration's data_dir.",
)
@config_option
@json_option
def put_back(archive: Path, target: Path | None, config_path: str | None, as_json: bool) -> None:
    """Put an archive's files back, into an empty data directory.

    What was in flight when the copy was made is settled at its hold by the next `serve`.
    """
    data_dir = target or data_dir_of(read_document(config_path))
    manifest = restore(archive, data_dir)
    if as_json:
        print_json({**_document(archive, manifest), "data_dir": str(data_dir)})
    else:
        click.echo(f"{data_dir}: as it was at {iso(manifest.made_ms)}, by Bascule {manifest.program}")


@command.command("verify")
@click.argument("archive", type=ARCHIVE)
@json_option
def verify(archive: Path, as_json: bool) -> None:
    """Restore an archive beside, and check every line of its ledger and audit trail. Exit status 1: it fails.

    Of a replica's archive, whose ledger is in PostgreSQL, the files alone can be checked.
    """
    from bascule.compose import open_store

    with tempfile.TemporaryDirectory(prefix="bascule-verify-") as folder:
        manifest = restore(archive, Path(folder) / "data")
        if LEDGER not in manifest.files:
            _tell_elsewhere(archive, manifest, as_json=as_json)
            return
        store = open_store(Path(folder) / "data", Config())
        try:
            ledger = verify_ledger(store.view)
            trail = read_trail(store.governance, latest=0).verdict
        finally:
            store.database.close()
    findings = [*ledger.findings, *trail.findings]
    if as_json:
        told = [{"where": found.where, "what": found.what} for found in findings]
        holds = not findings
        print_json({**_document(archive, manifest), "holds": holds, "attempts": ledger.attempts, "findings": told})
    else:
        for found in findings:
            click.echo(f"{found.where}: {found.what}", err=True)
        result = f"{len(findings)} findings" if findings else "all of it holds"
        click.echo(f"{ledger.attempts} attempts, {trail.entries} entries of the audit trail: {result}")
    if findings:
        sys.exit(1)


def _tell_elsewhere(archive: Path, manifest: Manifest, *, as_json: bool) -> None:
    """The audit trail's anchor and the journals' ends are in such an archive; what they are held against is not."""
    if as_json:
        print_json({**_document(archive, manifest), "holds": None, "attempts": None, "findings": []})
        return
    click.echo(
        f"{len(manifest.files)} files are as they were when the copy was made. The ledger is in PostgreSQL: restore "
        "its dump, then `bascule ledger verify` and `bascule audit verify`"
    )


def _judge_served(data_dir: Path, *, shared: bool) -> None:
    """Raises BasculeError where no gateway of this configuration has kept anything: an archive of another directory is
    found out on the day when it is needed."""
    kept = REPLICA if shared else LEDGER
    if not (data_dir / kept).is_file():
        what = "journal of a replica" if shared else "ledger"
        raise BasculeError(
            f"{data_dir.absolute()} has no {kept}, so there is no {what} in it to copy: name the configuration that "
            "`bascule serve` is given, with -c"
        )


def _document(archive: Path, manifest: Manifest) -> dict[str, object]:
    made = {"made": iso(manifest.made_ms), "program": manifest.program, "files": len(manifest.files)}
    return {"archive": str(archive), "bytes": archive.stat().st_size, **made}
