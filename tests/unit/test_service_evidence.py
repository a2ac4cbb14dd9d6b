"""A running gateway compares, counts and steps beside its requests, and its end loses nothing that was compared."""

import json
from pathlib import Path

from bascule.gateway.exchange import Incoming
from bascule.model.headers import Headers
from bascule.service import Service
from bascule.storage.sqlite.connect import open_database
from bascule.storage.sqlite.evidence import SqliteEvidence
from bascule.storage.sqlite.governance import SqliteGovernance
from bascule.testing.exchange import ListExchange
from bascule.testing.upstream.threaded import ThreadedUpstream

CONFIG = """
data_dir: data
providers: {{local: {{dialect: openai_chat, base_url: "{url}", api_key: none}}}}
models:
  small: {{endpoints: [{{provider: local, model: small-up}}], price: {{input: 1, output: 1}}}}
  big: {{endpoints: [{{provider: local, model: big-up}}], price: {{input: 1, output: 1}}}}
routes:
  auto:
    candidates: [small, big]
    evidence: {{incumbent: big, challengers: [small], graders: {{regex: "."}}, shadow_share: 1, session_s: 0}}
"""


def request(session: str) -> ListExchange:
    body = {"model": "auto", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 50}
    headers = Headers([(b"x-bascule-session", session.encode())])
    return ListExchange(Incoming(surface="openai_chat", headers=headers, body=json.dumps(body).encode()))


async def serve_three(folder: Path, url: str) -> None:
    file = folder / "bascule.yaml"
    file.write_text(CONFIG.format(url=url))
    service = Service(str(file), {}, host=None, port=None)
    await service.start()
    gateway = service.gateway
    try:
        await gateway.engine.handle(request("first"))
        await gateway.evidence.refresh()
        for number in range(3):
            await gateway.engine.handle(request(f"s{number}"))
        await gateway.comparisons.over()
        assert gateway.metrics.comparisons == {("auto", "compared"): 3}
    finally:
        await service.stop()


async def test_what_was_compared_is_counted_at_the_latest_when_it_stops(tmp_path: Path) -> None:
    upstream = ThreadedUpstream()
    upstream.start()
    try:
        await serve_three(tmp_path, upstream.openai_url)
    finally:
        upstream.stop()
    database = open_database(tmp_path / "data")
    (kept,) = SqliteEvidence(database, SqliteGovernance(database)).trials()
    database.close()
    assert (kept.trial.capital.count, kept.trial.capital.mean) == (3, 0.0)
