"""A key's data policy in the admin API: the object that the configuration has under `data`."""

from typing import Annotated

from msgspec import Meta, Struct

from bascule.decide.data_policy import retention_s
from bascule.model.errors import MalformedRequest
from bascule.model.policy import NO_DATA_POLICY, DataPolicy

MAX_NAMES = 64
Word = Annotated[str, Meta(min_length=1, max_length=200)]
Words = Annotated[tuple[Word, ...], Meta(max_length=MAX_NAMES)]


class ProvidersBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    allow: Words = ()
    deny: Words = ()


class DataBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    retention: str | None = None
    training: bool | None = None
    regions: Words = ()
    providers: ProvidersBody = ProvidersBody()
    zdr: bool = False
    quantizations: Words = ()


def data_policy(body: DataBody | None, own: DataPolicy) -> DataPolicy:
    """The policy that a body asks for, `own` where it says nothing. Raises MalformedRequest."""
    if body is None:
        return own
    if body == DataBody():
        return NO_DATA_POLICY
    if body.retention is not None and retention_s(body.retention) is None:
        raise MalformedRequest("data.retention: none, or hours or days such as 24h or 30d", "data.retention")
    return DataPolicy(
        retention=body.retention,
        training=body.training,
        regions=body.regions,
        providers_allow=body.providers.allow,
        providers_deny=body.providers.deny,
        zdr=body.zdr,
        quantizations=body.quantizations,
    )
