"""What to try next: commands that work as they are printed."""

import shlex
import shutil
import sys
from pathlib import Path

from bascule.cli.demonstration.scenario import ROUTE
from bascule.cli.demonstration.workspace import Workspace

_LOGS = ((".claude/projects", "claude-code"), (".codex/sessions", "codex"))


def program() -> str:
    """How this user calls `bascule`."""
    beside = Path(sys.executable).with_name("bascule")
    found = shutil.which("bascule")
    if found is not None and Path(found).resolve() == beside.resolve():
        return "bascule"
    if not beside.exists():
        return f"{shlex.quote(sys.executable)} -m bascule"
    cwd = Path.cwd()
    return shlex.quote(str(beside.relative_to(cwd) if beside.is_relative_to(cwd) else beside))


def commands(address: str, place: Workspace) -> list[str]:
    """For another terminal, while the gateway runs."""
    called = program()
    curl_key = f"$(cat {shlex.quote(str(place.secret_file('web-app')))})"
    agent_key = f"$(cat {shlex.quote(str(place.secret_file('coding-agent')))})"
    body = f'{{"model": "{ROUTE}", "messages": [{{"role": "user", "content": "Classify this support ticket: ..."}}]}}'
    return [
        f"{called} report -c {shlex.quote(str(place.config))} --by model --by task",
        f'curl {address}/v1/chat/completions -H "authorization: Bearer {curl_key}" -d {shlex.quote(body)}',
        f'eval "$({called} env claude --url {address} --model {ROUTE} --key "{agent_key}")" && claude',
    ]


def agent_logs(home: Path) -> list[str]:
    """The programs whose logs lie in a home folder, by the name that `import` will have for them."""
    found = []
    for folder, name in _LOGS:
        path = home / folder
        if path.is_dir() and next(path.iterdir(), None) is not None:
            found.append(name)
    return found
