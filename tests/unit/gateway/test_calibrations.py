"""What is learned of an endpoint, and from which answers."""

import pytest

from bascule.decide.calibration import Calibration
from bascule.gateway.calibrations import ALWAYS_LEARN_BELOW, LEARN_EVERY, Calibrations
from bascule.gateway.identifiers import Identifiers, attempt_id, decision_id
from bascule.gateway.metrics import DURATION_BUCKETS_S, Histogram
from bascule.gateway.relay import Drains
from bascule.model.facts import Facts, ImageFact
from bascule.model.usage import Usage

TEXT = Facts(model="m", text_bytes=1_000, messages=1)
USED = Usage(tokens_in=500, tokens_out=100, source="reported")


def test_an_endpoint_that_has_never_answered_is_assumed_and_alone() -> None:
    known = Calibrations()
    known.learn("a/m", TEXT, USED, 400)
    assert known.of("a/m") != Calibration()
    assert known.of("b/m") == Calibration()


def test_input_is_learned_from_text_alone() -> None:
    known = Calibrations()
    known.learn("a/m", Facts(model="m", text_bytes=10, messages=1, images=(ImageFact("base64", 9),)), USED, 400)
    learned = known.of("a/m")
    assert learned.answers == 1
    assert (learned.weight, learned.upper) == (Calibration().weight, Calibration().upper)


def test_an_endpoint_that_is_known_well_is_learned_from_now_and_then() -> None:
    known = Calibrations()
    for _ in range(ALWAYS_LEARN_BELOW + 10 * LEARN_EVERY):
        known.learn("a/m", TEXT, USED, 400)
    assert known.of("a/m").answers == ALWAYS_LEARN_BELOW + 10


def test_identifiers_are_unique_and_in_order_of_time() -> None:
    identifiers = Identifiers()
    made = [identifiers.request(1_000) for _ in range(1_000)]
    assert len(set(made)) == 1_000
    assert identifiers.request(1_001) > max(made)
    assert attempt_id(made[0], 2).endswith(".2")
    assert attempt_id(made[0], 1)[4:-2] == decision_id(made[0])[4:] == made[0][4:]


def test_a_duration_counts_in_the_first_bucket_that_holds_it() -> None:
    histogram = Histogram()
    for bound in DURATION_BUCKETS_S:
        histogram.observe(bound)
    histogram.observe(10_000.0)
    assert histogram.counts == [1] * (len(DURATION_BUCKETS_S) + 1)
    assert histogram.total_s == pytest.approx(sum(DURATION_BUCKETS_S) + 10_000.0)


def test_only_so_many_drains() -> None:
    drains = Drains(1)
    assert drains.enter()
    assert not drains.enter()
    drains.leave()
    assert drains.enter()
