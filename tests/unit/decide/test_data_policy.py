from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.decide.data_policy import loosened, retention_s, violation
from bascule.model.catalog import DataFacts, Endpoint, HardwareFacts
from bascule.model.policy import DataPolicy

KNOWN = Endpoint(
    id="p/m", provider="p", dialect="openai_chat", upstream_model="m",
    data=DataFacts(retention="30d", training=False, region="eu", zdr=True),
    hardware=HardwareFacts(quantization="fp8"),
)  # fmt: skip
UNKNOWN = Endpoint(id="q/m", provider="q", dialect="openai_chat", upstream_model="m")


@pytest.mark.parametrize(
    ("policy", "known_passes"),
    [
        (DataPolicy(retention="30d"), True),
        (DataPolicy(retention="720h"), True),
        (DataPolicy(retention="29d"), False),
        (DataPolicy(retention="none"), False),
        (DataPolicy(training=False), True),
        (DataPolicy(regions=("us", "eu")), True),
        (DataPolicy(regions=("us",)), False),
        (DataPolicy(zdr=True), True),
        (DataPolicy(quantizations=("fp8", "bf16")), True),
        (DataPolicy(quantizations=("bf16",)), False),
        (DataPolicy(providers_allow=("p",)), True),
    ],
)
def test_a_constraint_needs_a_known_fact(policy: DataPolicy, known_passes: bool) -> None:
    assert (violation(policy, KNOWN) is None) is known_passes
    assert violation(policy, UNKNOWN) is not None


def test_no_constraint_needs_no_fact() -> None:
    assert violation(DataPolicy(), UNKNOWN) is None
    assert violation(DataPolicy(training=True), UNKNOWN) is None
    assert violation(DataPolicy(providers_deny=("p",)), UNKNOWN) is None
    assert violation(DataPolicy(providers_deny=("q",)), UNKNOWN) == "provider denied"


@pytest.mark.parametrize("text", [None, "", "d", "-1d", "1.5d", "forever", "30", "1000000000d", "\u0663d"])
def test_a_retention_that_says_nothing_clear_is_unknown(text: str | None) -> None:
    assert retention_s(text) is None


RETENTIONS = st.sampled_from([None, "none", "0d", "24h", "30d"])
POLICIES = st.builds(
    DataPolicy,
    retention=RETENTIONS,
    training=st.sampled_from([None, True, False]),
    regions=st.sampled_from([(), ("eu",), ("us",), ("eu", "us")]),
    providers_allow=st.sampled_from([(), ("p",), ("q",), ("p", "q")]),
    providers_deny=st.sampled_from([(), ("p",), ("q",)]),
    zdr=st.booleans(),
    quantizations=st.sampled_from([(), ("fp8",), ("FP8", "bf16")]),
)
ENDPOINTS = [
    Endpoint(
        id=f"{provider}/m", provider=provider, dialect="openai_chat", upstream_model="m",
        data=DataFacts(retention=retention, training=training, region=region, zdr=zdr),
        hardware=HardwareFacts(quantization=quantization),
    )
    for provider, retention, training, region, zdr, quantization in product(
        ("p", "q"), (None, "none", "0d", "30d"), (None, True, False), (None, "eu", "us"), (None, True), (None, "fp8")
    )
]  # fmt: skip


@given(POLICIES, POLICIES)
def test_what_is_not_loosened_lets_no_endpoint_through_that_the_parent_does_not(
    parent: DataPolicy, child: DataPolicy
) -> None:
    if loosened(parent, child) is None:
        for endpoint in ENDPOINTS:
            assert violation(child, endpoint) is not None or violation(parent, endpoint) is None


@given(POLICIES)
def test_a_policy_does_not_loosen_itself(policy: DataPolicy) -> None:
    assert loosened(policy, policy) is None
    assert loosened(DataPolicy(), policy) is None
