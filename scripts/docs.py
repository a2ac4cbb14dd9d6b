"""Write the generated pages under docs/: the command line, the configuration and tables, from what implements them.

usage: python scripts/docs.py [--check]     --check writes nothing and fails where a page is out of date
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from bascule.config.reference import configuration_page
from bascule.dialects.matrix import shipped_matrix
from bascule.model.alert import KINDS
from bascule.offline.matrix_page import matrix_page
from bascule.testing.fault_table import fault_table

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 100


def context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    """A context of fixed width, so that the page does not depend on the terminal it was made in."""
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    return click.Context(command, info_name=name, parent=parent, **settings)


def page(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[str]:
    """The sections of a command and of all below it, in the order in which `--help` lists them."""
    ctx = context(command, name, parent)
    yield f"{'##' if parent else '#'} `{ctx.command_path}`\n\n```text\n{command.get_help(ctx)}\n```\n"
    if isinstance(command, click.Group):
        for child_name in command.list_commands(ctx):
            child = command.get_command(ctx, child_name)
            if child is None:
                raise LookupError(f"{ctx.command_path} lists {child_name} but does not have it")
            if not child.hidden:
                yield from page(child, child_name, ctx)


def root_command() -> click.Command:
    """The group behind the `bascule` script, which is `bascule.cli.main` itself or what that module calls."""
    module = importlib.import_module("bascule.cli")
    groups = [module.main, *vars(module).values()]
    for candidate in groups:
        if isinstance(candidate, click.Command):
            return candidate
    raise LookupError("bascule.cli has no click command; scripts/docs.py needs one to describe")


def cli_page() -> str:
    text = "<!-- Written by `make docs`; change the commands instead. -->\n\n"
    return text + "\n".join(page(root_command(), "bascule"))


def dialects_page() -> str:
    return with_table("dialects.md", "matrix", matrix_page(shipped_matrix()))


def chaos_page() -> str:
    return with_table("chaos.md", "faults", fault_table())


def with_table(name: str, what: str, table: str) -> str:
    """A page with one table written anew, between `<!-- what -->` and `<!-- end of what -->`; all else is its own."""
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    before, rest = page.split(f"<!-- {what} -->\n", 1)
    after = rest.partition(f"<!-- end of {what} -->")[2]
    return f"{before}<!-- {what} -->\n{table}<!-- end of {what} -->{after}"


def alerts_page() -> str:
    rows = [
        f"| `{name}` | {kind.severity} | {kind.when} | {kind.scope} | {', '.join([f'`{f}`' for f in kind.fields])} |"
        for name, kind in KINDS.items()
    ]
    head = ["| event | severity | when | told once of each | data |", "|---|---|---|---|---|"]
    return with_table("alerts.md", "events", "\n".join([*head, *rows, ""]))


PAGES: dict[str, Callable[[], str]] = {
    "alerts.md": alerts_page,
    "chaos.md": chaos_page,
    "cli.md": cli_page,
    "configuration.md": configuration_page,
    "dialects.md": dialects_page,
}


def main(arguments: list[str]) -> int:
    stale = 0
    for name, write in PAGES.items():
        target, text = ROOT / "docs" / name, write()
        if "--check" not in arguments:
            target.write_text(text, encoding="utf-8")
        elif not target.is_file() or target.read_text(encoding="utf-8") != text:
            print(f"docs: {target.relative_to(ROOT)} is out of date; run make docs and commit it")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
