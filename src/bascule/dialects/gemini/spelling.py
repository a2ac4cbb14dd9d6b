"""Google's JSON takes each field in two spellings: `generationConfig` and the proto's own `generation_config`
(protobuf.dev, ProtoJSON). Readers here know the first only, so the second is turned into it, holder by holder: what
lies inside arguments, responses and schemas is the client's own and is never touched.
"""

from collections.abc import Collection
from functools import lru_cache

from bascule.dialects.fields import Holder, path
from bascule.model.errors import MalformedRequest

_SHOWN_CHARS = 40


def camel(holder: Holder, where: str = "") -> Holder:
    """The holder with its own keys in camelCase; the same object where they are. Raises MalformedRequest where a
    field is there in both spellings: which one counts is not for us to say."""
    for key in holder:
        if "_" in key:
            break
    else:
        return holder
    spelled: Holder = {}
    for key, value in holder.items():
        name = _camel(key) if "_" in key else key
        if name in spelled:
            at = path(where, name)
            raise MalformedRequest(f"`{at}` is there twice, in two spellings; write it once", at)
        spelled[name] = value
    return spelled


def refuse_lookalikes(holder: Holder, known: Collection[str], where: str = "") -> None:
    """Raises MalformedRequest for a key that is one of `known` but for its case: another server of this dialect may
    decode keys without regard to it, and would read what was not judged here."""
    for key in holder:
        if key not in known and (name := _folded(tuple(known)).get(key.casefold())) is not None:
            shown = path(where, key[:_SHOWN_CHARS])
            raise MalformedRequest(f"`{shown}` is not a field of this API; write `{name}`", shown)


@lru_cache(maxsize=16)
def _folded(known: tuple[str, ...]) -> dict[str, str]:
    return {name.casefold(): name for name in known}


@lru_cache(maxsize=1024)
def _camel(key: str) -> str:
    head, *rest = key.split("_")
    if not head:
        return key  # `_responseJsonSchema` is spelled so
    return head + "".join([part[:1].upper() + part[1:] for part in rest])
