"""What is looked for in requests before they leave."""

from bascule.config.section import Count, Section
from bascule.model.policy import ProtectAction


class Protect(Section, frozen=True, kw_only=True):
    """What is done about what is found in a request. Needs the extra `protection`. See data-protection.md."""

    personal: ProtectAction | None = None
    """About payment cards, bank accounts, e-mail addresses, telephone and identity numbers: `redact` puts a word in
    their place, `block` refuses, `force_local` sends the request only where `region: local` is known."""
    secrets: ProtectAction | None = None
    """About keys, tokens and private keys."""


class Protection(Section, frozen=True, kw_only=True):
    """Bounds of the search."""

    max_chars: Count = 1_000_000
    """Of text in one request; a longer one is refused where something is to be looked for."""
