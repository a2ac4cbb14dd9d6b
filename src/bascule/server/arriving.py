"""What of request bodies is here and not being served yet: state around the pure `decide.shed`. One event loop's."""

from bascule.decide.shed import may_arrive
from bascule.server.slots import ALONE


class Arriving:
    """How many bytes of bodies have come in part, or wait for an earlier request on their connection, and whose."""

    def __init__(self) -> None:
        self.in_all_bytes = 0
        self._held_bytes: dict[str, int] = {}

    def add(self, tenant: str, size: int) -> None:
        """So many bytes more have come. Each that was added must be taken away by `remove`."""
        self.in_all_bytes += size
        if tenant != ALONE:
            self._held_bytes[tenant] = self._held_bytes.get(tenant, 0) + size

    def remove(self, tenant: str, size: int) -> None:
        """They are served, or nobody will read them."""
        self.in_all_bytes -= size
        if size and tenant != ALONE:
            held_bytes = self._held_bytes[tenant] - size
            if held_bytes:
                self._held_bytes[tenant] = held_bytes
            else:
                del self._held_bytes[tenant]

    def may_stay(self, tenant: str, body_bytes: int, limit_bytes: int, max_tenant_share: float) -> bool:
        """Whether this body, of which so much has been added, may be read on."""
        share = 1.0 if tenant == ALONE else max_tenant_share
        held_bytes = self._held_bytes.get(tenant, body_bytes)
        return may_arrive(held_bytes, body_bytes, self.in_all_bytes, limit_bytes, share)
