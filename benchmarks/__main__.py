"""`python -m benchmarks`: CPU per request against nginx, memory, start-up. Prints a table, or JSON with --json."""

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
models:
  small: {{endpoints: [{{provider: bench, model: bench-1}}], price: {{input: 0.15, output: 0.60}}, quality: 0.7}}
  large: {{endpoints: [{{provider: bench, model: bench-2}}], price: {{input: 3, output: 15}}, quality: 0.9}}
routes:
  bench:
    candidates: [small, large]
    objective: cheapest
    quality: 0.6
    rules:
      - {{when: 'task == "security_audit"', quality: 0.85}}
keys:
  bench: {{secret: env:BENCH_KEY, team: platform, models: [bench]}}
budgets:
  - {{scope: key:bench, limit_usd: 100000, window: day, mode: strict}}
  - {{scope: team:platform, limit_usd: 1000000, window: month, mode: strict}}
"""


def figures(*, seconds: int, rounds: int, memory_requests: int) -> dict[str, float]:
    """All figures of one run, by name."""
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
        script = load.write_script(folder, load.chat_body(2048), KEY)
        found.update(_cpu(proxy, proxy_pid, gateway, gateway_pid, script, seconds=seconds, rounds=rounds))
        found.update(_memory(gateway, gateway_pid, script, memory_requests))
    found["version_s"] = statistics.median(_version_s() for _ in range(7))
    return found


def _cpu(
    proxy: int, proxy_pid: int, gateway: int, gateway_pid: int, script: Path, *, seconds: int, rounds: int
) -> dict[str, float]:
    """CPU per request of nginx and of the gateway, in turn, so that the machine's noise meets both."""
    for port in (proxy, gateway):
        load.run(port, script, seconds=2)
    ratios, nginx_us, gateway_us = [], [], []
    for _ in range(rounds):
        per_request = []
        for port, pid in ((proxy, proxy_pid), (gateway, gateway_pid)):
            before = cpu_ns(pid)
            done = load.run(port, script, seconds=seconds)
            if done.errors:
                raise SystemExit(f"{done.errors} of {done.requests} requests failed; no figure from such a run")
            per_request.append((cpu_ns(pid) - before) / done.requests / 1000)
        nginx_us.append(per_request[0])
        gateway_us.append(per_request[1])
        ratios.append(per_request[1] / per_request[0])
    return {
        "nginx_cpu_us": statistics.median(nginx_us),
        "gateway_cpu_us": statistics.median(gateway_us),
        "cpu_ratio": statistics.median(ratios),
    }


def _memory(gateway: int, gateway_pid: int, script: Path, requests: int) -> dict[str, float]:
    """Resident memory after a tenth of `requests` and after all of them. The CPU rounds have warmed it up."""
    served = 0
    first = None
    while served < requests:
        if first is None and served >= requests // 10:
            first = rss_bytes(gateway_pid)
        served += load.run(gateway, script, seconds=1).requests
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
    parser.add_argument("--memory-requests", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = figures(seconds=options.seconds, rounds=options.rounds, memory_requests=options.memory_requests)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for name, unit, bound in (
        ("nginx_cpu_us", "us CPU per request, nginx as a plain reverse proxy", None),
        ("gateway_cpu_us", "us CPU per request, Bascule with auth, rules, hold, price, journal and ledger", None),
        ("cpu_ratio", "times nginx (median of the rounds' ratios)", 7),
        (
            "rss_growth_mb",
            f"MB of growth from {options.memory_requests // 10} to {options.memory_requests} requests",
            5,
        ),
        ("rss_mb", "MB resident after them", None),
        ("start_s", "s to the first 200", 1),
        ("version_s", "s for `bascule --version` (median of 7)", 0.150),
    ):
        verdict = "" if bound is None else (f"  within {bound}" if found[name] <= bound else f"  ABOVE {bound}")
        print(f"{found[name]:10.3f} {unit}{verdict}")


if __name__ == "__main__":
    main()
