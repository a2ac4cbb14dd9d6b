"""docs/providers.md, made from the presets: `python -m bascule.providers.table > docs/providers.md`."""

import sys

from bascule.providers.registry import DEEP, presets
from bascule.providers.spec import ProviderSpec

_HEAD = """\
# Providers

<!-- Made from src/bascule/providers/presets by `python -m bascule.providers.table`; edit those. -->

A preset is what Bascule knows about a provider: where it is, how it wants its key, how it deviates from its dialect,
and what is known of its data handling. `providers: {openai: {}}` uses one; anything in it can be overridden, and any
other server that speaks one of the dialects works with `dialect` and `base_url` alone.

**from the spec only** means that the preset was written from documentation and has not been proved with real calls;
`bascule certify NAME` does that. A data fact that was not read at its source is unknown, and no constraint of a route
accepts what is unknown: declare it under `data` if you know better. Where a preset's `base_url` is changed to another
host, its data facts no longer hold and are dropped.

A package can bring presets of its own: a `ProviderSpec` (`bascule.providers.spec`) behind an entry point of the group
`bascule.providers` whose name is the preset's.

```toml
[project.entry-points."bascule.providers"]
acme = "acme_bascule:SPEC"
```

Once it is installed, `providers: {acme: {}}` uses it, and without a file its key in the environment is found like any
other. A shipped preset keeps its name: a package's preset of the same name is left out, and `bascule check` says so.
One that cannot be imported, or is no `ProviderSpec`, stops every command that reads a configuration, with the
package's name. Install only packages that you trust: they run in the gateway's process.

"""


def providers_page() -> str:
    """The whole page in Markdown."""
    deep = [spec for spec in presets() if spec.name in DEEP]
    small = [spec for spec in presets() if spec.name not in DEEP]
    parts = [_HEAD, "## Deep presets\n\n", _table(deep), "\n## Small presets\n\n", _table(small), "\n## Notes\n\n"]
    parts += [f"- **{spec.name}**: {spec.notes}\n" for spec in presets() if spec.notes]
    parts += ["\n## Data facts\n\n", _data([*deep, *small])]
    return "".join(parts)


def _table(specs: list[ProviderSpec]) -> str:
    rows = ["| preset | provider | dialect | base URL | key | prices | proved |", "|---|---|---|---|---|---|---|"]
    for spec in specs:
        url = f"`{spec.base_url}`" if spec.base_url else f"your own (`{spec.base_url_env}`)"
        key = f"`{spec.key_env}`" + ("" if spec.key_required else " (optional)") if spec.key_env else "none"
        listed = spec.price_provider or "none: declare them"
        rows.append(f"| `{spec.name}` | {spec.title} | {spec.dialect} | {url} | {key} | {listed} | {spec.standing} |")
    return "\n".join(rows) + "\n"


def _data(specs: list[ProviderSpec]) -> str:
    rows = ["| preset | operator | seat | kept | trained on | source |", "|---|---|---|---|---|---|"]
    for spec in specs:
        data = spec.data
        trained = {True: "yes", False: "no", None: "unknown"}[data.training]
        seat = data.jurisdiction or data.region or "unknown"
        kept = data.retention or "unknown"
        rows.append(f"| `{spec.name}` | {data.operator} | {seat} | {kept} | {trained} | {data.source} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(providers_page())
