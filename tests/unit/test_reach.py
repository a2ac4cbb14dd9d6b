"""Only the transport connects to anything: what a client names by address is fetched nowhere."""

import ast
from collections.abc import Iterator
from pathlib import Path

SRC = Path(__file__).resolve().parents[2] / "src" / "bascule"
CONNECTS = ("http.client", "urllib.request", "urllib3", "requests", "httpx", "aiohttp", "ftplib", "smtplib")
SERVES = {"upstream", "testing", "cli", "storage"}
"""Folders that may: providers and webhooks; tests' servers; commands, which a person calls; the database."""
CALLS = ("connect", "open_connection", "create_connection", "urlopen", "sock_connect", "urlretrieve")


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from [f"{node.module}.{alias.name}" for alias in node.names]


def called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if isinstance(node.func.value, ast.Name) and node.func.value.id == "duckdb":
                continue  # a database inside this process
            yield node.func.attr


def test_nothing_else_can_connect() -> None:
    looked_at = 0
    for file in sorted(SRC.rglob("*.py")):
        part = file.relative_to(SRC).parts[0]
        if part in SERVES:
            continue
        looked_at += 1
        tree = ast.parse(file.read_text(encoding="utf-8"))
        found = [
            name for name in imported(tree) if name in CONNECTS or name.startswith(tuple([f"{c}." for c in CONNECTS]))
        ]
        found += [name for name in called(tree) if name in CALLS]
        assert not found, f"{file} uses {found}; let upstream connect, and addresses of others the guarded connector"
    assert looked_at > 400
