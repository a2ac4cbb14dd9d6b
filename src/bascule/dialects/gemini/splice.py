"""`usageMetadata.cost`, in US dollars, written into an answer."""

import msgspec
from msgspec import Raw

from bascule.dialects.fields import NULL
from bascule.dialects.splice import patch, with_cost


class _UsageOnly(msgspec.Struct, gc=False):
    usageMetadata: Raw = NULL  # noqa: N815  the wire's own name


_DECODER = msgspec.json.Decoder(_UsageOnly)


def spliced(raw: bytes, cost_nanousd: int) -> bytes:
    """An answer, or an event of one, with its cost; unchanged where it has no `usageMetadata` object.

    Google's SDKs leave fields out that they do not know, without a word, so that it harms nobody.
    """
    usage = bytes(_DECODER.decode(raw).usageMetadata)
    if not usage.startswith(b"{"):
        return raw
    return patch(raw, {"usageMetadata": with_cost(usage, cost_nanousd)})
