"""Load from wrk: a closed loop of one 2 KB chat request."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

WORDS = (
    "Explain in plain words how a gateway meters requests, which counters it keeps for each key and why a hold is "
    "taken before a request leaves. "
)


def chat_body(size_bytes: int) -> bytes:
    """A chat request of about this many bytes: a system prompt and a few turns."""

    def body(filler: str) -> bytes:
        return json.dumps(
            {
                "model": "bench",
                "messages": [
                    {"role": "system", "content": "You are a careful assistant."},
                    {"role": "user", "content": WORDS},
                    {"role": "assistant", "content": "With pleasure; which part should come first?"},
                    {"role": "user", "content": filler},
                ],
                "max_tokens": 256,
            }
        ).encode()

    missing = size_bytes - len(body(""))
    return body((WORDS * (missing // len(WORDS) + 1))[:missing])


@dataclass(frozen=True)
class Load:
    """What one run of wrk did."""

    requests: int
    errors: int


def write_script(folder: Path, body: bytes, key: str) -> Path:
    """wrk's Lua script that posts `body`."""
    path = folder / "post.lua"
    quoted = body.decode().replace("\\", "\\\\").replace("'", "\\'")
    path.write_text(
        "wrk.method = 'POST'\n"
        f"wrk.body = '{quoted}'\n"
        "wrk.headers['content-type'] = 'application/json'\n"
        f"wrk.headers['authorization'] = 'Bearer {key}'\n"
        "done = function(summary)\n"
        "  local e = summary.errors\n"
        "  io.write(string.format('TOTAL %d %d\\n', summary.requests,\n"
        "    e.connect + e.read + e.write + e.status + e.timeout))\n"
        "end\n"
    )
    return path


def run(port: int, script: Path, *, seconds: int, connections: int = 32) -> Load:
    """Drive `POST /v1/chat/completions` for some seconds. Raises RuntimeError where wrk fails."""
    command = ["wrk", f"-d{seconds}s", "-t1", f"-c{connections}", "-s", str(script)]
    result = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/v1/chat/completions"], capture_output=True, text=True, check=False
    )
    found = re.search(r"^TOTAL (\d+) (\d+)$", result.stdout, re.MULTILINE)
    if result.returncode or found is None:
        raise RuntimeError(f"wrk failed: {result.stdout}{result.stderr}")
    return Load(requests=int(found[1]), errors=int(found[2]))
