"""`python -m benchmarks`: CPU per request against nginx, memory, start-up. Prints a table, or JSON with --json.

Bascule works with auth, rules, hold, price, journal and ledger; nginx hands the same bytes on.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks import load, nginx
from benchmarks.cases import Case, cases
from benchmarks.processes import cpu_ns, free_port, rss_bytes, running, wait_for

KEY = "benchmark-key"
BASCULE = [sys.executable, "-m", "bascule"]

CONFIG = """
server: {{host: 127.0.0.1, port: {port}}}
data_dir: {folder}/data
providers:
  bench:
    dialect: openai_chat
    base_url: http://127.0.0.1:{upstream}/v1
    api_key: none
    data: {{retention: none, training: false, region: local}}
  bench-anthropic:
    dialect: anthropic_messages
    base_url: http://127.0.0.1:{upstream}
    api_key: none
    data: {{retention: none, training: false, region: local}}
models:
  small: {{endpoints: [{{provider: bench, model: bench-1}}], price: {{input: 0.15, output: 0.60}}, quality: 0.7}}
  large: {{endpoints: [{{provider: bench, model: bench-2}}], price: {{input: 3, output: 15}}, quality: 0.9}}
  small-anthropic:
    {{endpoints: [{{provider: bench-anthropic, model: bench-1}}], price: {{input: 0.15, output: 0.60}}, quality: 0.7}}
  large-anthropic:
    {{endpoints: [{{provider: bench-anthropic, model: bench-2}}], price: {{input: 3, output: 15}}, quality: 0.9}}
routes:
  bench:
    candidates: [small, large]
    objective: cheapest
    quality: 0.6
    rules:
      - {{when: 'task == "security_audit"', quality: 0.85}}
  bench-anthropic:
    candidates: [small-anthropic, large-anthropic]
    objective: cheapest
    quality: 0.6
    rules:
      - {{when: 'task == "security_audit"', quality: 0.85}}
keys:
  bench: {{secret: env:BENCH_KEY, team: platform, models: [bench, bench-anthropic]}}
budgets:
  - {{scope: key:bench, limit_usd: 100000, window: day, mode: strict}}
  - {{scope: team:platform, limit_usd: 1000000, window: month, mode: strict}}
"""


def figures(chosen: list[Case], *, seconds: int, rounds: int, memory_requests: int) -> dict[str, float]:
    """All figures of one run, by name. Memory is measured with the first of the cases."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bascule-bench-")))
        upstream, proxy, gateway = free_port(), free_port(), free_port()
        nginx_binary = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if nginx_binary is None or shutil.which("wrk") is None:
            raise SystemExit("this benchmark needs nginx and wrk: apt-get install nginx-light wrk")

        # What is measured has one processor, the load and the upstream another, as far as there are two.
        measured, beside = (sorted(os.sched_getaffinity(0)) * 2)[:2]
        os.sched_setaffinity(0, {beside})

        def serve_nginx(config: Path, cpu: int) -> int:
            command = [nginx_binary, "-c", str(config), "-p", str(folder)]
            return stack.enter_context(running(command, cwd=folder, cpu=cpu))

        serve_nginx(nginx.upstream_config(folder, upstream), beside)
        proxy_pid = serve_nginx(nginx.proxy_config(folder, proxy, upstream, KEY), measured)
        config = folder / "bascule.yaml"
        config.write_text(CONFIG.format(port=gateway, folder=folder, upstream=upstream))
        env = {**os.environ, "BENCH_KEY": KEY}
        began = time.perf_counter()
        command = [*BASCULE, "serve", "-c", str(config)]
        gateway_pid = stack.enter_context(running(command, cwd=folder, env=env, cpu=measured))
        wait_for(gateway, "/healthz")
        found = {"start_s": time.perf_counter() - began}
        posts = [load.prepare(folder, case.name, case.path, case.body, KEY) for case in chosen]
        for case, post in zip(chosen, posts, strict=True):
            rounds_us = _cpu_us((proxy, proxy_pid), (gateway, gateway_pid), post, seconds=seconds, rounds=rounds)
            found[f"{case.name}_nginx_cpu_us"] = statistics.median([nginx_us for nginx_us, _ in rounds_us])
            found[f"{case.name}_gateway_cpu_us"] = statistics.median([gateway_us for _, gateway_us in rounds_us])
            found[f"{case.name}_cpu_ratio"] = statistics.median([ours / nginxs for nginxs, ours in rounds_us])
        if memory_requests:
            found.update(_memory(gateway, gateway_pid, posts[0], memory_requests))
    found["version_s"] = statistics.median(_version_s() for _ in range(7))
    return found


def _cpu_us(
    nginx_at: tuple[int, int], gateway_at: tuple[int, int], post: load.Post, *, seconds: int, rounds: int
) -> list[tuple[float, float]]:
    """CPU per request of nginx and of the gateway, in turn, so that the machine's noise meets both: one pair a round.

    Each is at (port, process id).
    """
    for port, _ in (nginx_at, gateway_at):
        load.run(port, post, seconds=2)
    found: list[tuple[float, float]] = []
    for _ in range(rounds):
        per_request_us = []
        for port, pid in (nginx_at, gateway_at):
            before = cpu_ns(pid)
            done = load.run(port, post, seconds=seconds)
            if done.errors:
                raise SystemExit(f"{done.errors} of {done.requests} requests failed; no figure from such a run")
            per_request_us.append((cpu_ns(pid) - before) / done.requests / 1000)
        found.append((per_request_us[0], per_request_us[1]))
    return found


def _memory(gateway: int, gateway_pid: int, post: load.Post, requests: int) -> dict[str, float]:
    """Resident memory after a tenth of `requests` and after all of them. The CPU rounds have warmed it up."""
    served = 0
    first = None
    while served < requests:
        if first is None and served >= requests // 10:
            first = rss_bytes(gateway_pid)
        served += load.run(gateway, post, seconds=1).requests
    time.sleep(1.0)
    last = rss_bytes(gateway_pid)
    return {"rss_mb": last / 1e6, "rss_growth_mb": (last - (first or last)) / 1e6}


def _version_s() -> float:
    began = time.perf_counter()
    subprocess.run([*BASCULE, "--version"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=int, default=4, help="of each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--case", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--memory-requests", type=int, default=100_000, help="0 leaves memory out")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    chosen = [case for case in cases() if not options.case or case.name in options.case]
    if not chosen:
        parser.error(f"--case is one of {', '.join([case.name for case in cases()])}")
    memory_requests = options.memory_requests
    found = figures(chosen, seconds=options.seconds, rounds=options.rounds, memory_requests=memory_requests)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for name, unit, bound in _lines(chosen, memory_requests):
        verdict = "" if bound is None else (f"  within {bound:g}" if found[name] <= bound else f"  ABOVE {bound:g}")
        print(f"{found[name]:10.3f} {unit}{verdict}")


def _lines(chosen: list[Case], memory_requests: int) -> list[tuple[str, str, float | None]]:
    """Name, unit and bound of the figures, in the order in which they are printed."""
    lines: list[tuple[str, str, float | None]] = []
    for case in chosen:
        lines += [
            (f"{case.name}_nginx_cpu_us", f"us CPU per request, nginx as a plain reverse proxy ({case.what})", None),
            (f"{case.name}_gateway_cpu_us", f"us CPU per request, Bascule ({case.what})", None),
            (f"{case.name}_cpu_ratio", "times nginx (median of the rounds' ratios)", case.bound),
        ]
    if memory_requests:
        lines += [
            ("rss_growth_mb", f"MB of growth from {memory_requests // 10} to {memory_requests} requests", 5),
            ("rss_mb", "MB resident after them", None),
        ]
    return [
        *lines,
        ("start_s", "s to the first 200", 1),
        ("version_s", "s for `bascule --version` (median of 7)", 0.150),
    ]


if __name__ == "__main__":
    main()
