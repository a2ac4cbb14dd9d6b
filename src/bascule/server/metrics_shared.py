"""What all workers have counted, on whichever of them is asked: each writes down every second what it has.

Counters of workers that have died stay in the sums, so that none ever falls; gauges do not.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from prometheus_client.core import Metric

from bascule.model.errors import StoreError

Sample = tuple[str, dict[str, str], float]


class Family(Struct, frozen=True):
    """One metric with its samples, as Prometheus' client library has it."""

    name: str
    help: str
    kind: str
    samples: list[Sample]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Family]).decode


class SharedMetrics:
    """Files of one gateway's workers in a folder, one for each life of each worker."""

    def __init__(self, directory: Path, worker: int, epoch: str) -> None:
        """Raises StoreError where the folder cannot be made."""
        self._directory = directory
        self._worker = worker
        self._file = directory / f"{worker:03d}-{epoch}.json"
        try:
            directory.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{directory} cannot be made: {error.strerror}. Check data_dir and its owner") from error

    def publish(self, families: Iterable[Metric]) -> None:
        """Write down what this worker has. Raises StoreError."""
        found = [
            Family(m.name, m.documentation, m.type, [(s.name, s.labels, s.value) for s in m.samples]) for m in families
        ]
        fresh = self._file.with_suffix(".new")
        try:
            fresh.write_bytes(_encode(found))
            fresh.replace(self._file)
        except OSError as error:
            raise StoreError(f"{self._file} cannot be written: {error.strerror}. Check space and owner") from error

    def summed(self, own: Iterable[Metric]) -> list[Metric]:
        """This worker's metrics as they are, with those of all others as they last were."""
        total = {metric.name: metric for metric in own}
        files = sorted(self._directory.glob("*.json"))
        last_of = {path.name[:3]: path for path in files}
        for path in files:
            if path != self._file:
                is_alive = last_of[path.name[:3]] == path and path.name[:3] != f"{self._worker:03d}"
                _add(total, self._read(path), is_alive)
        return list(total.values())

    def _read(self, path: Path) -> Sequence[Family]:
        try:
            return _decode(path.read_bytes())
        except FileNotFoundError:
            return ()


def forget_metrics(directory: Path) -> None:
    """Begin anew, where no worker runs."""
    for path in directory.glob("*.json"):
        path.unlink(missing_ok=True)


def _add(total: dict[str, Metric], families: Iterable[Family], is_alive: bool) -> None:
    for family in families:
        if family.kind == "gauge" and not is_alive:
            continue
        metric = total.get(family.name)
        if metric is None:
            metric = total[family.name] = Metric(family.name, family.help, family.kind)
        place = {(s.name, *sorted(s.labels.items())): at for at, s in enumerate(metric.samples)}
        for name, labels, value in family.samples:
            at = place.get((name, *sorted(labels.items())))
            if at is None:
                metric.add_sample(name, labels, value)
            else:
                metric.samples[at] = metric.samples[at]._replace(value=metric.samples[at].value + value)
