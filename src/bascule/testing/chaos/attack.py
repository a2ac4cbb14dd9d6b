"""From the wish for a scenario to its verdict: upstream and gateway are started, attacked, and ended."""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from bascule import compose
from bascule.config.urls import is_loopback
from bascule.model.errors import BasculeError
from bascule.testing.chaos.arena import Arena
from bascule.testing.chaos.bills import Row
from bascule.testing.chaos.book import tariff_of_snapshot
from bascule.testing.chaos.checks import Check
from bascule.testing.chaos.gateway import GatewayProcess
from bascule.testing.chaos.rehearsal import BUDGET_KEY, PROBE_KEY, rehearse, targets_of
from bascule.testing.chaos.scenarios import Scenario
from bascule.testing.chaos.traffic import nothing
from bascule.testing.upstream.threaded import ThreadedUpstream

EXPORT_S = 120.0


class Attacked(Struct, frozen=True, kw_only=True):
    """One scenario and what came of it."""

    scenario: str
    checks: tuple[Check, ...]
    requests: int
    """That clients sent."""
    exchanges: int
    """That reached the upstream."""
    left_out: tuple[str, ...] = ()
    """Sections of the user's configuration that the rehearsal was without."""

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


class Wish(Struct, frozen=True, kw_only=True):
    """What the user wants."""

    config: Path | None
    seed: int
    requests: int
    against: tuple[str, ...] = ()
    """Gateways that run already, on the upstream at `port`, with `config` for their ledger."""
    port: int = 0
    key: str | None = None
    """What they let in."""


def attack(scenario: Scenario, wish: Wish, advance: Callable[[], None] = nothing) -> Attacked:
    """Raises BasculeError where it could not be carried out, which is no verdict."""
    with _upstream(wish) as upstream, _theirs(wish, upstream) if wish.against else _ours(wish, upstream) as found:
        arena, left_out = found
        sent = 0

        def told() -> None:
            nonlocal sent
            sent += 1
            advance()

        arena.advance = told
        checks = scenario.run(arena)
        return Attacked(
            scenario=scenario.name,
            checks=tuple(checks),
            requests=sent,
            exchanges=len(upstream.upstream.served),
            left_out=left_out,
        )


@contextmanager
def _upstream(wish: Wish) -> Iterator[ThreadedUpstream]:
    upstream = ThreadedUpstream(seed=wish.seed, port=wish.port)
    try:
        upstream.start()
    except OSError as error:
        raise BasculeError(f"the scripted upstream cannot listen on port {wish.port}: {error.strerror}") from error
    try:
        yield upstream
    finally:
        upstream.stop()


@contextmanager
def _ours(wish: Wish, upstream: ThreadedUpstream) -> Iterator[tuple[Arena, tuple[str, ...]]]:
    """A gateway of our own on a copy of the configuration, in a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="bascule-chaos-") as name:
        rehearsal = rehearse(wish.config, Path(name), upstream.upstream.origin)
        process = GatewayProcess(Path(name), None)
        try:
            process.start()
            arena = Arena(
                upstream=upstream,
                urls=(process.url,),
                export=process.rows,
                tariff=tariff_of_snapshot(rehearsal.snapshot),
                targets=rehearsal.targets,
                key=rehearsal.secrets[PROBE_KEY],
                budget_key=rehearsal.secrets[BUDGET_KEY],
                seed=wish.seed,
                requests=wish.requests,
                run=_run_name(),
                process=process,
            )
            yield arena, rehearsal.left_out
        finally:
            process.kill()


@contextmanager
def _theirs(wish: Wish, upstream: ThreadedUpstream) -> Iterator[tuple[Arena, tuple[str, ...]]]:
    """Gateways that the user started. Their configuration must send everything to our upstream."""
    config = wish.config or compose.DEFAULT_FILE
    for url in wish.against:
        if not is_loopback(urlsplit(url).hostname or ""):
            raise BasculeError(f"{url} is not on this machine: only gateways on loopback are attacked")
    snapshot = compose.snapshot_of(compose.read_document(str(config), _environment()), _environment(), stored_keys=True)
    others = [name for name, linked in snapshot.providers.items() if linked.origin != upstream.upstream.origin]
    if others:
        raise BasculeError(
            f"{', '.join(others)} in {config}: not the scripted upstream, {upstream.upstream.origin}. Give every "
            "provider that `base_url` (and its path, e.g. /v1) and start the gateway again; nothing was sent"
        )
    yield (
        Arena(
            upstream=upstream,
            urls=wish.against,
            export=lambda: _exported(config),
            tariff=tariff_of_snapshot(snapshot),
            targets=targets_of(snapshot),
            key=wish.key or "any",
            seed=wish.seed,
            requests=wish.requests,
            run=_run_name(),
        ),
        (),
    )


def _environment() -> dict[str, str]:
    return dict(os.environ)


def _exported(config: Path) -> list[Row]:
    """The ledger of a configuration, as a user exports it. Raises BasculeError."""
    command = [sys.executable, "-m", "bascule", "ledger", "export", "--rows", "attempts", "-c", str(config)]
    done = subprocess.run(command, capture_output=True, timeout=EXPORT_S, check=False)  # noqa: S603 - our own command
    if done.returncode != 0:
        raise BasculeError(f"the ledger of {config} cannot be read: {done.stderr.decode(errors='replace').strip()}")
    return msgspec.json.Decoder(Row).decode_lines(done.stdout)


def _run_name() -> str:
    return secrets.token_hex(4)
