"""What the engine needs from the world. Hot ports are synchronous; only the upstream and slow paths are async."""

from bascule.ports.admission import Authority, KeyStore, RateLimiter
from bascule.ports.analytics import Analytics, AnalyticsMissing
from bascule.ports.clock import Clock
from bascule.ports.content import ContentSink, ContentStore
from bascule.ports.evidence import ComparedPair, EvidenceStore, KeptTrial
from bascule.ports.governance import Governance, StoredKey
from bascule.ports.idempotency import Beside, IdempotencyStore, ReplyStore
from bascule.ports.imports import ImportStore
from bascule.ports.journal import Journal
from bascule.ports.ledger import (
    ALL_CHAINS,
    HOUR_MS,
    Chains,
    Damage,
    HourOf,
    JoinedAttempt,
    LedgerEvidence,
    LedgerReader,
    LedgerSnapshot,
    LedgerStore,
    OpenAttempt,
    Spent,
    Watermarks,
)
from bascule.ports.lending import Counted, CounterId, Exchanged, Holder, LeaseStore, Lending
from bascule.ports.outcomes import OutcomeStore
from bascule.ports.upstream import Header, Timeouts, TransportError, Upstream, UpstreamCall, UpstreamReply
from bascule.ports.webhooks import Deliveries, NotDelivered

__all__ = [
    "ALL_CHAINS",
    "HOUR_MS",
    "Analytics",
    "AnalyticsMissing",
    "Authority",
    "Beside",
    "Chains",
    "Clock",
    "ComparedPair",
    "ContentSink",
    "ContentStore",
    "Counted",
    "CounterId",
    "Damage",
    "Deliveries",
    "EvidenceStore",
    "Exchanged",
    "Governance",
    "Header",
    "Holder",
    "HourOf",
    "IdempotencyStore",
    "ImportStore",
    "JoinedAttempt",
    "Journal",
    "KeptTrial",
    "KeyStore",
    "LeaseStore",
    "LedgerEvidence",
    "LedgerReader",
    "LedgerSnapshot",
    "LedgerStore",
    "Lending",
    "NotDelivered",
    "OpenAttempt",
    "OutcomeStore",
    "RateLimiter",
    "ReplyStore",
    "Spent",
    "StoredKey",
    "Timeouts",
    "TransportError",
    "Upstream",
    "UpstreamCall",
    "UpstreamReply",
    "Watermarks",
]
