"""A provider's own reading of its errors, where the dialect's is not the right one."""

from msgspec.structs import replace

from bascule.model.outcome import Fault
from bascule.providers.spec import ProviderSpec


def classify(spec: ProviderSpec, fault: Fault) -> Fault:
    """The fault with this provider's error class: by its code first, then by its status."""
    overrides = spec.error_classes
    if not overrides:
        return fault
    error_class = overrides.get(fault.code) if fault.code is not None else None
    if error_class is None and fault.status is not None:
        error_class = overrides.get(str(fault.status))
    if error_class is None or error_class == fault.error_class:
        return fault
    return replace(fault, error_class=error_class)
