"""`python -m benchmarks.prompt_cache`: the cache share of an agent's session of 64 turns, natively and translated.

Against simulated provider caches (`bascule.testing.anthropic_cache`, `prefix_cache`), through the whole gateway without
sockets. The figures do not depend on the machine.
"""

import argparse
import tempfile
from pathlib import Path

from bascule.testing.agent_session import agent_session
from bascule.testing.cache_shares import (
    NATIVE,
    TO_ANTHROPIC,
    TO_ANTHROPIC_UNMARKED,
    TO_DEEPSEEK,
    TO_OPENAI,
    TO_OPENROUTER,
    run,
)

WAYS = (NATIVE, TO_ANTHROPIC, TO_ANTHROPIC_UNMARKED, TO_OPENAI, TO_DEEPSEEK, TO_OPENROUTER)
NANO_PER_USD = 1_000_000_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prompt_cache", description=__doc__)
    parser.add_argument("--turns", type=int, default=64, help="of the main conversation")
    parser.add_argument("--seed", type=int, default=7, help="of the made-up session")
    told = parser.parse_args()
    print(f"{'way':42} {'requests':>8} {'input':>10} {'largest':>8} {'cached':>8} {'of native':>9} {'cost':>8}")
    native = 0.0
    for way in WAYS:
        with tempfile.TemporaryDirectory() as directory:
            found = run(way, agent_session(told.turns, told.seed), Path(directory))
        native = native or found.share
        print(
            f"{found.name:42} {found.requests:8} {found.input_tokens:10,} {found.largest_tokens:8,} {found.share:8.2%}"
            f" {found.share / native:9.2%} {found.cost_nanousd / NANO_PER_USD:7.2f}$"
        )
    print("\nPrices of every way: $5 a million tokens of input, $0.50 read from the cache, $25 of output; Anthropic's")
    print("writes $6.25. The lengths differ because each dialect says the same in other bytes, four of them a token.")


if __name__ == "__main__":
    main()
