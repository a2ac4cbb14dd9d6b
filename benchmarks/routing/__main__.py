"""`python -m benchmarks.routing [SECTION …] [-- options of the section]`: those named, else all but long ones.

Exit 1 where a figure that must hold does not.
"""

import importlib
import sys

SECTIONS = {
    "router": "what the learned router is worth on prompts that it was not trained on",
    "month": "a month of $87,000 under several policies",
    "classifier": "how often the shipped task classifier is right, and how often it is unsure",
    "evidence": "how far the tests of promotion and demotion can be trusted, and how fast they are",
    "switching": "how far the verdicts of switch-check can be trusted, and whether the cases it asks for decide",
}
"""Modules of this package, each with a `main(arguments)` that prints its figures and returns an exit status."""
BY_NAME = frozenset({"switching"})
"""Only where they are asked for."""


def main(arguments: list[str]) -> int:
    at = arguments.index("--") if "--" in arguments else len(arguments)
    names, options = arguments[:at], arguments[at + 1 :]
    unknown = [name for name in names if name not in SECTIONS]
    if unknown or "-h" in names:
        print(__doc__)
        for name, about in SECTIONS.items():
            print(f"  {name:12} {about}")
        return 2
    worst = 0
    for name in names or [one for one in SECTIONS if one not in BY_NAME]:
        print(f"\n== {name}: {SECTIONS[name]}\n", flush=True)
        worst = max(worst, importlib.import_module(f"benchmarks.routing.{name}").main(options))
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
