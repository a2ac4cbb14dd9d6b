"""LiteLLM's keys and teams as `keys` and `budgets` of a bascule.yaml. Pure.

They come from /key/list and /team/list, or as rows of LiteLLM_VerificationToken and LiteLLM_TeamTable. Only a hash of
each key is there, so the keys themselves cannot be carried over: each gets a new secret.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from bascule.offline.imports.columns import moment
from bascule.offline.imports.litellm_config import dollars_text
from bascule.offline.imports.litellm_fragment import Fragment, variable_of, window_of
from bascule.offline.moment import iso_time

EVERY_MODEL = frozenset({"all-proxy-models", "*"})
TEAM_MODELS = "all-team-models"
NO_MODELS = "no-default-models"
_LIMITS = {"rpm_limit": "rpm", "tpm_limit": "tpm", "max_parallel_requests": "in_flight"}


def is_key(row: dict[str, Any]) -> bool:
    return ("token" in row or "key_name" in row) and ("key_alias" in row or "max_budget" in row) and "spend" in row


def is_team(row: dict[str, Any]) -> bool:
    return "team_id" in row and ("team_alias" in row or "members_with_roles" in row) and "token" not in row


class Directory:
    """Keys and teams, with the names by which they go here."""

    def __init__(self, keys: Iterable[dict[str, Any]], teams: Iterable[dict[str, Any]]) -> None:
        # A key may stand in a table and in an answer of the API, too: the first counts.
        self.keys: dict[str, dict[str, Any]] = {}
        for place, key in enumerate(keys):
            self.keys.setdefault(str(key.get("token") or key.get("token_id") or f"#{place}"), key)
        self.teams = {str(team.get("team_id")): team for team in teams}
        self._names: dict[str, str] = {}
        taken: set[str] = set()
        for token, key in self.keys.items():
            stem = _text(key.get("key_alias")) or _text(key.get("key_name")) or f"key-{token[:8]}"
            name, number = stem, 1
            while name in taken:
                number += 1
                name = f"{stem}-{number}"
            taken.add(name)
            self._names[token] = name

    def key_name(self, token: str) -> str | None:
        """The name of the key with this hash."""
        return self._names.get(token)

    def team_name(self, team_id: str) -> str:
        """A team's alias, or its id."""
        return _text(self.teams.get(team_id, {}).get("team_alias")) or team_id

    def write(self, made: Fragment) -> None:
        """Their sections. Whatever the rows hold, it raises nothing."""
        for team_id, team in self.teams.items():
            self._team(made, self.team_name(team_id), team)
        for token, key in self.keys.items():
            self._key(made, self._names[token], key)
        if self.keys:
            made.notes.append(
                "LiteLLM keeps a hash of each key alone, so every key needs a new secret; what was spent so far is "
                "not carried over: budgets begin at nothing."
            )

    def _key(self, made: Fragment, name: str, key: dict[str, Any]) -> None:
        place = f"keys.{name}"
        if _flag(key.get("blocked")):
            made.leave(place, "blocked")
            return
        team_id = _text(key.get("team_id"))
        entry: dict[str, Any] = {
            "secret": made.needs(variable_of("BASCULE_KEY", name), f"a new secret for the key {name}")
        }
        whose = {
            "org": _text(key.get("organization_id")),
            "team": self.team_name(team_id) if team_id else None,
            "project": _text(key.get("project_id")),
            "user": _text(key.get("user_id")),
        }
        entry |= {ours: who for ours, who in whose.items() if who is not None}
        models = self._models(made, place, key, team_id)
        if models:
            entry["models"] = models
        rate = {ours: limit for theirs, ours in _LIMITS.items() if (limit := _count(key.get(theirs)))}
        if rate:
            entry["rate"] = rate
        if (expires := _day(key.get("expires"))) is not None:
            entry["expires"] = expires
        made.section("keys")[name] = entry
        _cap(made, place, f"key:{name}", key)
        for theirs in ("model_max_budget", "budget_limits"):
            if _document(key.get(theirs)):
                made.leave(f"{place}.{theirs}", "budgets are not by model; give the model's users a key of their own")

    def _models(self, made: Fragment, place: str, key: dict[str, Any], team_id: str | None) -> list[str]:
        names = _list(key.get("models"))
        if TEAM_MODELS in names and team_id:
            names = [name for name in names if name != TEAM_MODELS] + _list(self.teams.get(team_id, {}).get("models"))
        if not names or EVERY_MODEL.intersection(names):
            return []
        kept = [name for name in dict.fromkeys(names) if name not in (TEAM_MODELS, NO_MODELS) and "*" not in name]
        wild = [name for name in names if "*" in name]
        if wild:
            made.leave(f"{place}.models", f"{', '.join(wild)}: name the models; there are no wildcards")
        return kept

    def _team(self, made: Fragment, name: str, team: dict[str, Any]) -> None:
        place = f"teams.{name}"
        _cap(made, place, f"team:{name}", team)
        for theirs in _LIMITS:
            if _count(team.get(theirs)):
                made.leave(f"{place}.{theirs}", "limits are a key's: keys.NAME.rate")
        if _flag(team.get("blocked")):
            made.leave(place, "blocked: its keys are not, and can be left out by hand")


def _cap(made: Fragment, place: str, scope: str, row: dict[str, Any]) -> None:
    linked = row.get("litellm_budget_table")
    shared = linked if isinstance(linked, dict) else {}
    amount = _given(row.get("max_budget"), shared.get("max_budget"))
    if amount is None:
        return
    limit = dollars_text(amount)
    duration = _given(row.get("budget_duration"), shared.get("budget_duration"))
    window = window_of(duration)
    if limit is None:
        made.leave(f"{place}.max_budget", "no amount of dollars")
        return
    if window is None:
        made.leave(f"{place}.budget_duration", f"{duration}: windows are hour, day, week, month and total")
        return
    budget: dict[str, Any] = {"scope": scope, "limit_usd": limit, "window": window}
    soft = _given(row.get("soft_budget"), shared.get("soft_budget"))
    warned = None if soft is None else dollars_text(soft)
    if warned is not None and limit > 0 and 0 < warned <= limit:
        budget["alerts"] = [round(float(warned / limit), 4)]
    made.budgets().append(budget)


def _given(*values: Any) -> Any:
    return next((value for value in values if value not in (None, "")), None)


def _text(value: Any) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    return text if text and text.isprintable() else None


def _flag(value: Any) -> bool:
    return value is True or str(value).lower() in ("true", "t", "1")


def _count(value: Any) -> int | None:
    try:
        count = int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
    return count if count > 0 else None


def _day(value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    try:
        return (iso_time(moment(value)) or "")[:10]
    except ValueError:
        return None


def _document(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            return None
    return value


def _list(value: Any) -> list[str]:
    """JSON's list, or PostgreSQL's `{a,b}`."""
    if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
        value = [one.strip().strip('"') for one in value[1:-1].split(",")]
    found = _document(value)
    return [one for one in found if isinstance(one, str) and one] if isinstance(found, list) else []
