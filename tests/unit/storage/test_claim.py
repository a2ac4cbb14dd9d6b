import os
import subprocess
import sys
from pathlib import Path

import pytest

from bascule.model.errors import StoreError
from bascule.storage.claim import claim

ASK = "import sys; from pathlib import Path; from bascule.storage.claim import claim; claim(Path(sys.argv[1]))"


def asked_elsewhere(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", ASK, str(folder)], capture_output=True, text=True)


def test_one_process_serves_from_a_directory(tmp_path: Path) -> None:
    lock = claim(tmp_path)
    refused = asked_elsewhere(tmp_path)
    assert refused.returncode != 0
    assert f"served by another process ({os.getpid()})" in refused.stderr
    assert "`data_dir` of its own" in refused.stderr
    with pytest.raises(StoreError):
        claim(tmp_path)
    lock.release()
    assert asked_elsewhere(tmp_path).returncode == 0


def test_a_process_that_died_holds_nothing(tmp_path: Path) -> None:
    assert asked_elsewhere(tmp_path).returncode == 0  # it ended with the claim in its hands
    claim(tmp_path).release()
