"""The scripted upstream as a process: its port as JSON on the first line, then it serves until it is ended."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import msgspec
import uvloop

from bascule.testing.script import Script, chooser, chooser_of_file
from bascule.testing.upstream.server import ScriptedUpstream


def main(arguments: list[str] | None = None) -> None:
    """`python -m bascule.testing.upstream [--port N] [--seed N] [--script FILE.json]`, a `ScriptFile`."""
    parser = argparse.ArgumentParser(prog="python -m bascule.testing.upstream", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--script", type=Path, help="JSON: {default, models, first, mix, seed}")
    told = parser.parse_args(arguments)
    try:
        choose = chooser(Script()) if told.script is None else chooser_of_file(told.script.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        parser.error(f"--script {told.script}: {error}")
    uvloop.run(_serve(ScriptedUpstream(choose, seed=told.seed, port=told.port)))


async def _serve(upstream: ScriptedUpstream) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with upstream:
        first = {"port": upstream.port, "openai": upstream.url("openai"), "anthropic": upstream.url("anthropic")}
        sys.stdout.write(msgspec.json.encode(first).decode() + "\n")
        sys.stdout.flush()
        await stopped.wait()


if __name__ == "__main__":
    main()
