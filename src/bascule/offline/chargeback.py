"""Whose cost it is: everyone's own, and what is nobody's or everybody's split by a rule that is said.

A cost is shared where it has no owner, or where its tag `shared` is `true`. Each row is counted once, so own and
shared costs add up to the bill, and so do the parts after a split, to the nano-dollar (largest remainders).
"""

from collections.abc import Iterable
from typing import Any, Literal, get_args

from msgspec import Struct

from bascule.model.money import usd_text
from bascule.model.report import Cell
from bascule.model.sums import Sums
from bascule.offline.apportion import apportion
from bascule.offline.percentile import share

Rule = Literal["none", "equal", "spend", "requests", "tokens"]
RULES: tuple[Rule, ...] = get_args(Rule)

MEANINGS: dict[Rule, str] = {
    "none": "shared cost is not split, it stands apart",
    "equal": "shared cost in equal parts",
    "spend": "shared cost in proportion to own cost",
    "requests": "shared cost in proportion to own requests",
    "tokens": "shared cost in proportion to own tokens",
}
SHARED_TAG = "tag:shared"


class Owner(Struct, frozen=True, kw_only=True):
    """One owner's bill."""

    name: str
    own: Sums
    part_nanousd: int
    """Of the shared cost."""

    @property
    def total_nanousd(self) -> int:
        return (self.own.cost_nanousd or 0) + self.part_nanousd


class Chargeback(Struct, frozen=True, kw_only=True):
    """A bill by owner. Owners' totals and `unsplit_nanousd` add up to `total`'s cost."""

    by: str
    rule: Rule
    owners: tuple[Owner, ...]
    """Dearest first."""
    unowned: Sums
    tagged: Sums
    """What has an owner and is tagged as shared."""
    unsplit_nanousd: int
    total: Sums

    @property
    def shared_nanousd(self) -> int:
        return (self.unowned.cost_nanousd or 0) + (self.tagged.cost_nanousd or 0)


def charge_back(by: str, cells: Iterable[Cell], rule: Rule) -> Chargeback:
    """`cells` are by owner and by the tag `shared`."""
    own: dict[str, Sums] = {}
    unowned, tagged, total = Sums(), Sums(), Sums()
    for cell in cells:
        name, shared = cell.values
        total = total.plus(cell.sums)
        if name is None:
            unowned = unowned.plus(cell.sums)
        elif shared == "true":
            tagged = tagged.plus(cell.sums)
            own.setdefault(name, Sums())
        else:
            own[name] = own.get(name, Sums()).plus(cell.sums)
    pool = (unowned.cost_nanousd or 0) + (tagged.cost_nanousd or 0)
    names = sorted(own)
    weights = [_weight(own[name], rule) for name in names]
    splits = rule != "none" and sum(weights) > 0
    parts = apportion(pool, weights) if splits else [0] * len(names)
    owners = [Owner(name=name, own=own[name], part_nanousd=part) for name, part in zip(names, parts, strict=True)]
    return Chargeback(
        by=by,
        rule=rule,
        owners=tuple(sorted(owners, key=lambda owner: (-owner.total_nanousd, owner.name))),
        unowned=unowned,
        tagged=tagged,
        unsplit_nanousd=0 if splits else pool,
        total=total,
    )


def _weight(own: Sums, rule: Rule) -> int:
    """An owner whose credits exceed its costs takes no part of what is split by spend."""
    if rule == "equal":
        return 1
    if rule == "requests":
        return own.requests
    if rule == "tokens":
        return own.tokens
    return max(own.cost_nanousd or 0, 0)


def chargeback_payload(made: Chargeback) -> dict[str, Any]:
    """`{by, rule, …, owners}`; `total_usd` of all owners and `unsplit_usd` add up to `total_usd`."""
    total = made.total.cost_nanousd
    return {
        "by": made.by,
        "rule": made.rule,
        "rule_means": MEANINGS[made.rule],
        "total_usd": usd_text(total),
        "shared_usd": usd_text(made.shared_nanousd),
        "shared_because": {
            f"no_{made.by}_usd": usd_text(made.unowned.cost_nanousd or 0),
            "tagged_usd": usd_text(made.tagged.cost_nanousd or 0),
        },
        "unsplit_usd": usd_text(made.unsplit_nanousd),
        "unpriced_attempts": made.total.unpriced_attempts,
        "estimated_usd": usd_text(made.total.estimated_nanousd),
        "owners": [_owner_payload(owner, total or 0) for owner in made.owners],
    }


def _owner_payload(owner: Owner, total_nanousd: int) -> dict[str, Any]:
    own = owner.own
    return {
        "owner": owner.name,
        "own_usd": usd_text(own.cost_nanousd),
        "shared_part_usd": usd_text(owner.part_nanousd),
        "total_usd": usd_text(owner.total_nanousd),
        "cost_share": share(owner.total_nanousd, total_nanousd),
        "requests": own.requests,
        "tokens": own.tokens,
        "unpriced_attempts": own.unpriced_attempts,
        "estimated_usd": usd_text(own.estimated_nanousd),
    }
