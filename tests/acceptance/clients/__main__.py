"""Real clients against every upstream dialect, installed into the user's cache where they are not there yet.

    python -m tests.acceptance.clients                                   # all of them, everywhere
    python -m tests.acceptance.clients --client codex --upstream gemini  # either may repeat; a name or its beginning
    python -m tests.acceptance.clients --quick                           # what the tests run
    python -m tests.acceptance.clients --direct                          # without Bascule: are the programs right?

Ends with 1 where a client fails that is not named in `faults`, or where nothing was run.
"""

import argparse
import sys
import time

from tests.acceptance.clients.arena import Arena
from tests.acceptance.clients.cell import Outcome, run_cell, run_direct
from tests.acceptance.clients.roster import CLIENTS, Client
from tests.acceptance.clients.upstreams import UPSTREAMS

COLUMNS = ("client", "version", "upstream", "plain", "stream", "tools", "further", "verdict", "seconds")
WIDTHS = (27, 10, 19, 6, 6, 6, 34, 7, 7)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.clients", description=__doc__.splitlines()[0])
    parser.add_argument("--client", action="append", default=[], metavar="NAME")
    parser.add_argument("--upstream", action="append", default=[], choices=[upstream.name for upstream in UPSTREAMS])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--direct", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="show what a client that failed has written")
    told = parser.parse_args(arguments)
    chosen = [client for client in CLIENTS if _is_meant(client, told.client) and (client.quick or not told.quick)]
    print(_line(COLUMNS))
    with Arena() as arena:
        outcomes = list(_direct(chosen, arena) if told.direct else _matrix(chosen, told.upstream, arena))
    for outcome in outcomes:
        for finding in outcome.findings:
            print(f"{outcome.client.name} at {outcome.upstream}: {finding}")
        if told.verbose and outcome.verdict == "FAIL":
            print(outcome.output)
    counts = {word: sum(outcome.verdict == word for outcome in outcomes) for word in ("pass", "known", "FAIL")}
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    return 1 if counts["FAIL"] or not counts["pass"] else 0


def _is_meant(client: Client, names: list[str]) -> bool:
    return not names or any(client.name.startswith(name) for name in names)


def _matrix(chosen, upstreams: list[str], arena: Arena):
    for client in chosen:
        for upstream in UPSTREAMS:
            if not upstreams or upstream.name in upstreams:
                yield _shown(run_cell(client, upstream, arena))


def _direct(chosen, arena: Arena):
    for client in chosen:
        began = time.monotonic()
        ran = run_direct(client, arena)
        bad = [f"{name}: {word}" for name, word in ran.steps.items() if word != "ok"]
        bad += [f"{name}: not tried" for name in client.steps if name not in ran.steps]
        yield _shown(
            Outcome(
                client=client,
                upstream="(direct)",
                verdict="FAIL" if bad else "pass",
                steps=ran.steps,
                findings=bad,
                output=ran.output,
                seconds=time.monotonic() - began,
            )
        )


def _shown(outcome: Outcome) -> Outcome:
    steps = outcome.steps
    words = {name: "ok" if word == "ok" else "FAIL" for name, word in steps.items()}
    further = " ".join(f"{name}={words[name]}" for name in words if name not in ("plain", "stream", "tools"))
    shown = [words.get(name, "-") for name in ("plain", "stream", "tools")]
    cells = (outcome.client.name, outcome.version, outcome.upstream, *shown, further, outcome.verdict)
    print(_line((*cells, f"{outcome.seconds:.1f}")), flush=True)
    return outcome


def _line(cells) -> str:
    return " ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
