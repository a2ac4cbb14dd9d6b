"""`python -m tests.fuzz [--inputs N] [--seed S]`: so many wrong inputs through every codec.

Exit status 1 on a finding. `make fuzz` runs it with a million; a short run is among the tests.
"""

import argparse
import collections
import random
import secrets
import sys
import time
import traceback

from tests.fuzz.mutate import mutated
from tests.fuzz.targets import corpus


def run(inputs: int, seed: int) -> dict[str, tuple[str, bytes, str]]:
    """Findings by the place where they were raised: (dialect, the input, the traceback)."""
    dice = random.Random(seed)
    sound = corpus()
    found: dict[str, tuple[str, bytes, str]] = {}
    for _ in range(inputs):
        chosen = dice.choice(sound)
        data = mutated(chosen.data, dice)
        try:
            chosen.run(chosen.dialect, data, dice)
        except Exception as problem:  # noqa: BLE001 - whatever is raised is a finding
            place = traceback.extract_tb(problem.__traceback__)[-1]
            key = f"{chosen.run.__name__} {chosen.dialect}: {type(problem).__name__} at {place.filename}:{place.lineno}"
            found.setdefault(key, (chosen.dialect, data, traceback.format_exc()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=None)
    told = parser.parse_args()
    seed = secrets.randbelow(2**32) if told.seed is None else told.seed
    print(f"seed {seed}, {told.inputs:,} inputs from {len(corpus())} sound ones", flush=True)
    began = time.monotonic()
    found = run(told.inputs, seed)
    for key, (_, data, trace) in found.items():
        print(f"\n{key}\n{data[:2_000]!r}\n{trace}")
    kinds = collections.Counter(item.run.__name__ for item in corpus())
    print(f"{len(found)} findings in {time.monotonic() - began:.0f} s; sound inputs: {dict(kinds)}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
