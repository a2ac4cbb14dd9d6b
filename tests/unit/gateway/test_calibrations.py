from msgspec.structs import replace

from bascule.decide.calibration import Calibration
from bascule.gateway.calibrations import Calibrations
from bascule.model.facts import Facts
from bascule.model.usage import Usage

FACTS = Facts(model="m", text_bytes=4_000, messages=1)
REPORTED = Usage(tokens_in=900, tokens_out=200, source="reported")


def test_what_a_provider_reports_is_learned():
    calibrations = Calibrations()
    calibrations.learn("p/m", FACTS, REPORTED, 800)
    assert calibrations.of("p/m").answers == 1


def test_a_report_that_was_odd_teaches_nothing():
    calibrations = Calibrations()
    for flag in ("clamped", "negative", "zero", "not_a_number", "cached_exceeds_prompt", "above_bound", "partial"):
        calibrations.learn("p/m", FACTS, replace(REPORTED, tokens_out=1_000_000_000, flags=(flag,)), 800)
    assert calibrations.of("p/m") == Calibration()


def test_reasoning_beside_the_completion_is_no_oddity():
    calibrations = Calibrations()
    calibrations.learn("p/m", FACTS, replace(REPORTED, flags=("reasoning_beside_completion",)), 800)
    assert calibrations.of("p/m").answers == 1
