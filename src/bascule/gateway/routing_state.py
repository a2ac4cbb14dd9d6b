"""What routing remembers between requests. It outlives configurations; each worker has its own."""

from msgspec import Struct, field

from bascule.gateway.dear_shares import DearShares
from bascule.gateway.occupancy import Occupancy
from bascule.gateway.session_models import SessionModels


class RoutingState(Struct, frozen=True, kw_only=True):
    """Bounded, in memory, lost with the process."""

    sessions: SessionModels = field(default_factory=SessionModels)
    dear: DearShares = field(default_factory=DearShares)
    occupancy: Occupancy = field(default_factory=Occupancy)
