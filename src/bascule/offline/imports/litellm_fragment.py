"""A part of a bascule.yaml made from another gateway's settings: what was taken, what was not, and which secrets are
missing from it. No secret is ever in it."""

import io
import re
from decimal import Decimal
from typing import Any

from msgspec import Struct, field

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")
_WINDOWS = {"1h": "hour", "60m": "hour", "24h": "day", "1d": "day", "7d": "week", "168h": "week", "1w": "week",
            "30d": "month", "31d": "month", "1mo": "month", "1m": "month"}  # fmt: skip


class NotTaken(Struct, frozen=True):
    """Something that has no place, or another one, in a bascule.yaml."""

    place: str
    """Where it stands, e.g. `router_settings.redis_host`."""
    why: str


class MissingSecret(Struct, frozen=True):
    """A secret that the file refers to by a variable, which is to be set."""

    variable: str
    why: str


class Fragment(Struct, kw_only=True):
    """Sections of a bascule.yaml as plain values, in the order in which they are written."""

    sections: dict[str, Any] = field(default_factory=dict)
    not_taken: list[NotTaken] = field(default_factory=list)
    secrets: list[MissingSecret] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was taken in another way than it stood."""

    def section(self, name: str) -> Any:
        """A section that holds names."""
        return self.sections.setdefault(name, {})

    def budgets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.sections.setdefault("budgets", [])
        return found

    def leave(self, place: str, why: str) -> None:
        self.not_taken.append(NotTaken(place, why))

    def needs(self, variable: str, why: str) -> str:
        """A reference to a variable whose value is not known here."""
        self.secrets.append(MissingSecret(variable, why))
        return f"env:{variable}"

    @property
    def is_empty(self) -> bool:
        return not any(self.sections.values())


def variable_of(*words: str) -> str:
    """The name of an environment variable."""
    name = "_".join([_NOT_IN_NAMES.sub("_", word).strip("_") for word in words if word]).upper()
    return f"_{name}" if name[:1].isdigit() else name


def reference(value: Any) -> str | None:
    """`os.environ/X` as X; None where a value is no such reference."""
    if isinstance(value, str) and value.startswith("os.environ/"):
        return value.removeprefix("os.environ/").strip() or None
    return None


def window_of(duration: Any) -> str | None:
    """The calendar window of a duration (`1d`, `30d`); `total` where there is none; None where none is that long."""
    if duration is None or duration == "":
        return "total"
    return _WINDOWS.get(str(duration).strip().lower())


def yaml_text(fragment: Fragment, head: str) -> str:
    """The file, with what is to be done as comments above."""
    lines = [head]
    if fragment.secrets:
        lines.append("Set these before it is used:")
        lines += [f"  {one.variable}: {one.why}" for one in fragment.secrets]
    lines += fragment.notes
    if fragment.not_taken:
        lines.append("Not taken:")
        lines += [f"  {one.place}: {one.why}" for one in fragment.not_taken]
    # A name from elsewhere may hold a line end, which would end the comment.
    comments = "".join([f"# {''.join([c if c.isprintable() else ' ' for c in line])}\n" for line in lines])
    sections = {name: value for name, value in fragment.sections.items() if value}
    return comments + "\n" + (_dumped(sections) if sections else "")


def _dumped(sections: dict[str, Any]) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import ScalarNode
    from ruamel.yaml.representer import SafeRepresenter

    class Representer(SafeRepresenter):
        """Decimals as plain numbers; everything in full, without anchors."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def amount(self: SafeRepresenter, value: Decimal) -> ScalarNode:
        text = f"{value:f}"
        return self.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in text else 'int'}", text)

    Representer.add_representer(Decimal, amount)
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = Representer
    yaml.default_flow_style = None
    yaml.width = 110
    setattr(yaml, "sort_base_mapping_type_on_output", False)  # noqa: B010 - ruamel types it as None
    out = io.StringIO()
    yaml.dump(sections, out)
    return out.getvalue()
