"""The text of a first bascule.yaml. Pure: what was found in the environment in, text out."""

from collections.abc import Sequence

from bascule.config.environment import Found

_HEAD = """\
# Bascule's configuration. `bascule check` says what is wrong with it, `bascule check --schema` prints its JSON Schema.
# Secrets never stand here: write env:NAME or file:PATH.

server: {host: 127.0.0.1, port: 8787}
data_dir: .bascule           # journals, ledger, caches

providers:
"""

_NONE_FOUND = """\
  # No provider's key was found in the environment, so this points to Ollama on this machine.
  # Set e.g. OPENAI_API_KEY or ANTHROPIC_API_KEY and add a line `openai: {}` or `anthropic: {}`.
  ollama: {}
"""

_TAIL = """
# Models by your own names. What is left out comes from the shipped catalog; an unknown price is never free.
# models:
#   small:
#     endpoints: [{provider: PROVIDER, model: ITS-NAME-THERE}]
#     price: {input: 0.10, output: 0.40}      # USD per million tokens
#     quality: {default: 0.75}                # declared, 0 to 1

# Virtual models that choose: the cheapest candidate whose quality reaches the floor.
# routes:
#   auto:
#     candidates: [small, big]
#     objective: cheapest
#     quality: medium                         # low, medium, high or a number
#     rules:
#       - {when: 'task == "security_audit"', quality: high}

# Keys for clients, and what they may spend. Without keys only this machine is served.
# keys:
#   ci: {secret: env:CI_KEY, team: platform, models: [auto]}
# budgets:
#   - {scope: key:ci, limit_usd: 5, window: day, mode: strict}
"""


def starter_text(found: Sequence[Found]) -> str:
    """A bascule.yaml that loads as it is, with these providers and examples of everything else as comments."""
    lines = [_line(item) for item in found]
    return _HEAD + ("".join(lines) if lines else _NONE_FOUND) + _TAIL


def _line(item: Found) -> str:
    entry = "{}" if item.base_url is None else f'{{base_url: "{item.base_url}"}}'
    what = f"its key from {item.variable}" if item.needs_key else f"from {item.variable}"
    return f"  {item.name}: {entry}".ljust(29) + f"  # {what}\n"
