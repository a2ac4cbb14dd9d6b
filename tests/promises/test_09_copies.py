"""Promise 9 where a replica's data directory is copied: the copy settles nothing of what the original has open."""

import asyncio
import json
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.acceptance.configuration import PROVIDER_ENV
from tests.promises.budgeted import until
from tests.promises.conftest import Figure
from tests.promises.replicated import ADMIN, replicated

from bascule.testing.chaos.client import Seen, post
from bascule.testing.chaos.gateway import GatewayFailed, GatewayProcess
from bascule.testing.chaos.surfaces import Asked, written
from bascule.testing.script import Script

if TYPE_CHECKING:
    from tests.postgres import Postgres

pytestmark = pytest.mark.real


def ask(url: str, seen: list[Seen]) -> None:
    path, body = written("chat", Asked(model="oai", turns=(("user", "hi"),), stream=True, max_tokens=100))
    seen.append(asyncio.run(post(url, path, body)))


@pytest.mark.promise(
    9, fault="a second replica on a copied data directory, with a request open", limit="refused; settled once"
)
def test_a_copy_does_not_settle_what_the_original_has_open(
    tmp_path: Path, postgres: "Postgres", figure: Figure
) -> None:
    with replicated(tmp_path, postgres.new_database(), 1) as ([original], upstream):
        upstream.use(Script(output_tokens=40, gap_s=0.15))
        seen: list[Seen] = []
        asking = threading.Thread(target=ask, args=(original.url, seen))
        asking.start()
        until("the request is open", lambda: (upstream.upstream.in_flight == 1, upstream.upstream.in_flight))
        shutil.copytree(original.data_dir, tmp_path / "copy" / "data")
        shutil.copy(original.file, tmp_path / "copy" / "bascule.yaml")
        copy = GatewayProcess(tmp_path / "copy", None, {**PROVIDER_ENV, "BASCULE_ADMIN": ADMIN})
        try:
            with pytest.raises(GatewayFailed, match=r"is a copy of the other.*remove its file 'replica'"):
                copy.start()
        finally:
            copy.kill()
        asking.join()
        assert [one.status for one in seen] == [200]
        original.settled(ADMIN)
        rows = [json.loads(line) for line in original.run("ledger", "export").splitlines()]
        figure("rows", len(rows))
        assert [(row["status"], row["recovered"]) for row in rows] == [(200, False)]
        assert original.running
        original.verify()
