"""What requests may ask of providers beside an answer."""

from bascule.config.section import Section
from bascule.model.catalog import FetchPolicy


class Request(Section, frozen=True, kw_only=True):
    """What requests may ask of providers beside an answer."""

    image_urls: FetchPolicy | None = None
    """Images, files and MCP servers named by their address, which the provider fetches: `pass`; `public_only`, judged
    by what the address says; `refuse`. Without it `public_only` for providers on this machine or in its networks, and
    `pass` for all others. See addresses.md."""
