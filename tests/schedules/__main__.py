"""`python -m tests.schedules --schedules 10000000`: explore small numbers fully, then run random schedules."""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from os import cpu_count

from tests.schedules.explore import Scope, explore
from tests.schedules.random_schedules import run

BATCH = 20_000
SMALL = Scope(holds=2, exchanges=2, losses=0)
LARGE = Scope(holds=2, exchanges=3)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.schedules", description=__doc__)
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=cpu_count() or 1)
    parser.add_argument("--explore", choices=["none", "small", "large"], default="small")
    given = parser.parse_args()
    if given.explore != "none":
        scope = SMALL if given.explore == "small" else LARGE
        began = time.monotonic()
        states, steps = explore(scope)
        print(f"explored {states:,} states by {steps:,} steps in {time.monotonic() - began:.0f} s: {scope}", flush=True)
    began = time.monotonic()
    batches = [
        (given.seed + at, min(BATCH, given.schedules - at * BATCH)) for at in range(-(-given.schedules // BATCH))
    ]
    steps = 0
    with ProcessPoolExecutor(given.processes) as pool:
        for done in pool.map(run, *zip(*batches, strict=True)):
            steps += done
    took = time.monotonic() - began
    print(f"{given.schedules:,} schedules, {steps:,} steps, in {took:.0f} s: no promise broken")


if __name__ == "__main__":
    main()
