"""Whether an endpoint may see the data of a request. A fact that is not known satisfies no constraint."""

from bascule.model.catalog import Endpoint
from bascule.model.policy import NO_DATA_POLICY, DataPolicy

_SECONDS_PER = {"h": 3_600, "d": 86_400}


def retention_s(text: str | None) -> int | None:
    """`none` is 0 seconds, `30d` and `12h` what they say; None where it is unknown or says anything else."""
    if text is None:
        return None
    if text == "none":
        return 0
    number, unit = text[:-1], text[-1:]
    if unit not in _SECONDS_PER or not number.isascii() or not number.isdigit() or len(number) > 6:
        return None
    return int(number) * _SECONDS_PER[unit]


def violation(policy: DataPolicy, endpoint: Endpoint) -> str | None:
    """The first thing in `policy` that `endpoint` is not known to satisfy, for a person; None where there is none."""
    if policy == NO_DATA_POLICY:
        return None
    facts = endpoint.data
    if policy.providers_allow and endpoint.provider not in policy.providers_allow:
        return "provider not allowed"
    if endpoint.provider in policy.providers_deny:
        return "provider denied"
    if policy.retention is not None:
        kept_s, accepted_s = retention_s(facts.retention), retention_s(policy.retention)
        if accepted_s is None or kept_s is None or kept_s > accepted_s:
            return f"retention {facts.retention or 'unknown'}, wanted {policy.retention}"
    if policy.training is False and facts.training is not False:
        return "trains on data" if facts.training else "training unknown"
    if policy.regions and facts.region not in policy.regions:
        return f"region {facts.region or 'unknown'}, wanted {' or '.join(policy.regions)}"
    if policy.zdr and facts.zdr is not True and retention_s(facts.retention) != 0:
        return "no zero data retention"
    if policy.quantizations:
        quantization = (endpoint.hardware.quantization or "unknown").lower()
        if quantization == "unknown" or quantization not in [name.lower() for name in policy.quantizations]:
            return f"quantization {quantization}"
    return None


def loosened(parent: DataPolicy, child: DataPolicy) -> str | None:
    """The first thing that `child` lets through and `parent` does not, for a person; None where there is none.

    Judged by what is written: an endpoint that satisfies the child satisfies the parent, whatever its facts are.
    """
    if parent == NO_DATA_POLICY:
        return None
    if parent.retention is not None and not _kept_as_short(parent.retention, child):
        return f"retention is to be {parent.retention} at most"
    if parent.training is False and child.training is not False:
        return "training is to stay false"
    if parent.zdr and not (child.zdr or retention_s(child.retention) == 0):
        return "zdr is to stay on"
    if not set(parent.providers_deny) <= set(child.providers_deny):
        return f"providers {', '.join(sorted(set(parent.providers_deny) - set(child.providers_deny)))} are denied"
    for what, most, given in (
        ("providers", parent.providers_allow, child.providers_allow),
        ("regions", parent.regions, child.regions),
        ("quantizations", _lower(parent.quantizations), _lower(child.quantizations)),
    ):
        if most and not (given and set(given) <= set(most)):
            return f"{what} are to be among {', '.join(most)}"
    return None


def _kept_as_short(most: str, child: DataPolicy) -> bool:
    """Zero data retention alone says nothing of an endpoint that states no retention."""
    accepted_s, asked_s = retention_s(most), retention_s(child.retention)
    return accepted_s is not None and asked_s is not None and asked_s <= accepted_s


def _lower(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple([name.lower() for name in names])
