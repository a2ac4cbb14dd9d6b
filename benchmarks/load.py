"""Load from wrk: a closed loop of one request."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.prose import WORDS, prose


def chat_body(model: str, size_bytes: int) -> bytes:
    """A chat request of about this many bytes: a system prompt and a few turns."""

    def body(filler: str) -> bytes:
        return json.dumps(
            {
                "model": model,
                "messages": [
                    {"role": "system", "content": "You are a careful assistant."},
                    {"role": "user", "content": WORDS},
                    {"role": "assistant", "content": "With pleasure; which part should come first?"},
                    {"role": "user", "content": filler},
                ],
                "max_tokens": 256,
            }
        ).encode()

    return body(prose(size_bytes - len(body(""))))


@dataclass(frozen=True)
class Load:
    """What one run of wrk did."""

    requests: int
    errors: int


@dataclass(frozen=True)
class Post:
    """A request that wrk can send: its script, and the path."""

    script: Path
    path: str


def prepare(folder: Path, name: str, path: str, body: bytes, key: str) -> Post:
    """Write what wrk needs to post `body` to `path`."""
    sent = folder / f"{name}.json"
    sent.write_bytes(body)
    script = folder / f"{name}.lua"
    script.write_text(
        "wrk.method = 'POST'\n"
        f"wrk.body = io.open('{sent}', 'rb'):read('*a')\n"
        "wrk.headers['content-type'] = 'application/json'\n"
        f"wrk.headers['authorization'] = 'Bearer {key}'\n"
        "done = function(summary)\n"
        "  local e = summary.errors\n"
        "  io.write(string.format('TOTAL %d %d\\n', summary.requests,\n"
        "    e.connect + e.read + e.write + e.status + e.timeout))\n"
        "end\n"
    )
    return Post(script, path)


def run(port: int, post: Post, *, seconds: int, connections: int = 32) -> Load:
    """Drive one request for some seconds. Raises RuntimeError where wrk fails."""
    command = ["wrk", f"-d{seconds}s", "-t1", f"-c{connections}", "-s", str(post.script)]
    result = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{post.path}"], capture_output=True, text=True, check=False
    )
    found = re.search(r"^TOTAL (\d+) (\d+)$", result.stdout, re.MULTILINE)
    if result.returncode or found is None:
        raise RuntimeError(f"wrk failed: {result.stdout}{result.stderr}")
    return Load(requests=int(found[1]), errors=int(found[2]))
