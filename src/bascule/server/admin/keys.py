"""`/bascule/api/keys`: virtual keys. A secret is in the answer that makes it, and nowhere else."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bascule.config.scalars import Unreadable
from bascule.config.scalars import name as read_name
from bascule.decide.budget import in_force
from bascule.model.errors import MalformedRequest
from bascule.model.policy import Budget, KeyPolicy, RateLimit
from bascule.offline.moment import moment_ms
from bascule.offline.payload import key_payload
from bascule.ports import StoredKey
from bascule.server.admin.access import Caller
from bascule.server.admin.answers import Refused, document, read_json
from bascule.server.admin.data_policy import DataBody, data_policy
from bascule.server.admin.parent import budget_of_its_own, may_end, may_hold, sees
from bascule.server.admin.ports import AdminPorts
from bascule.server.admin.query import Query
from bascule.server.admin.work import Changes

MAX_NAME_CHARS = 200
MAX_OVERLAP_S = 90 * 86_400
Count = Annotated[int, Meta(ge=1, le=10**15)]


class NewKeyBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a key is to be. What is left out a team administrator's own key supplies."""

    name: str
    org: str | None = None
    team: str | None = None
    project: str | None = None
    user: str | None = None
    models: tuple[str, ...] | None = None
    max_output_tokens: Count | None = None
    rpm: Count | None = None
    tpm: Count | None = None
    in_flight: Count | None = None
    tags: dict[str, str] = {}
    role: Literal["member", "admin", "auditor", "team_admin"] = "member"
    expires: str | None = None
    """A date or time, ISO 8601; a date is its end."""
    data: DataBody | None = None


class RotateBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new secret; the old one stays good for `overlap_s`."""

    overlap_s: Annotated[float, Meta(ge=0, le=MAX_OVERLAP_S)]


class Keys:
    """The handlers. The file's keys are listed and never changed."""

    def __init__(self, ports: AdminPorts, changes: Changes) -> None:
        self._ports = ports
        self._changes = changes

    async def listed(self, request: Request, caller: Caller) -> Response | Refused:
        now_ms = self._ports.clock.now_ms()
        Query(request, (), now_ms=now_ms)
        configured = [(key.policy, None) for key in self._ports.snapshot().keys]
        found = await run_in_threadpool(self._ports.governance.keys)
        keys: list[tuple[KeyPolicy, StoredKey | None]] = [*configured, *[(key.policy, key) for key in found]]
        data = [key_payload(policy, stored, now_ms) for policy, stored in keys if sees(caller, policy)]
        return document({"object": "list", "data": data})

    async def create(self, request: Request, caller: Caller) -> Response | Refused:
        now_ms = self._ports.clock.now_ms()
        policy = key_policy(await read_json(request, NewKeyBody), caller.parent, now_ms)
        maker = self._ports.key_maker

        def make() -> tuple[StoredKey, str] | Refused:
            problem = may_hold(caller, policy) or self._in_file(policy.name) or self._beyond(caller, policy)
            if problem is not None:
                return problem
            if any(key.policy.name == policy.name for key in maker.live(now_ms)):
                message = f"there already is a key named {policy.name!r}; rotate it, revoke it, or take another name"
                return Refused(status=409, message=message, param="name")
            return maker.create(policy, by=caller.by, now_ms=now_ms)

        return _shown(await self._changes.run(make), 201)

    async def rotate(self, request: Request, caller: Caller) -> Response | Refused:
        name = request.path_params["name"]
        now_ms = self._ports.clock.now_ms()
        grace_ms = round((await read_json(request, RotateBody)).overlap_s * 1000)
        maker = self._ports.key_maker

        def turn() -> tuple[StoredKey, str] | Refused:
            problem = self._in_file(name)
            for key in [key for key in maker.live(now_ms) if key.policy.name == name]:
                problem = problem or may_hold(caller, key.policy)
            problem = problem or budget_of_its_own(caller, name, self._budgets())
            if problem is not None:
                return problem
            return maker.rotate(name, by=caller.by, now_ms=now_ms, grace_ms=grace_ms) or _no_key(name)

        return _shown(await self._changes.run(turn), 200)

    async def revoke(self, request: Request, caller: Caller) -> Response | Refused:
        """By name or by id: an id may be ended alone while another secret of the name lives on."""
        name = request.path_params["name"]
        now_ms = self._ports.clock.now_ms()
        maker = self._ports.key_maker

        def end() -> int | Refused:
            problem = self._in_file(name)
            for key in [key for key in maker.live(now_ms) if name in (key.policy.name, key.key_id)]:
                problem = problem or may_end(caller, key.policy)
            if problem is not None:
                return problem
            return maker.revoke(name, by=caller.by, now_ms=now_ms) or _no_key(name)

        ended = await self._changes.run(end)
        return ended if isinstance(ended, Refused) else document({"name": name, "revoked": ended})

    def _beyond(self, caller: Caller, policy: KeyPolicy) -> Refused | None:
        """What a new key of this name would have that is another team's, or that its maker has not got itself."""
        name, owner = policy.name, (policy.org, policy.team)
        stored = self._ports.governance.keys()
        if any(key.policy.name == name and (key.policy.org, key.policy.team) != owner for key in stored):
            # Budgets, kept answers and feedback hang on a key's name, after its end too.
            return Refused(status=409, message=f"the name {name!r} was another team's; take another", param="name")
        return None if caller.parent is None else budget_of_its_own(caller, name, self._budgets())

    def _budgets(self) -> tuple[Budget, ...]:
        return in_force(self._ports.snapshot().budgets, self._ports.governance.budgets())

    def _in_file(self, name: str) -> Refused | None:
        if all(key.policy.name != name for key in self._ports.snapshot().keys):
            return None
        return Refused(status=409, message=f"key {name!r} is defined in the configuration file; change it there")


def key_policy(body: NewKeyBody, parent: KeyPolicy | None, now_ms: int) -> KeyPolicy:
    """The policy asked for, with the parent's where nothing was said. Raises MalformedRequest."""
    own = parent or KeyPolicy(name="")
    rate = own.rate
    return KeyPolicy(
        name=_name("name", body.name),
        org=_optional("org", body.org) or own.org,
        team=_optional("team", body.team) or own.team,
        project=_optional("project", body.project) or own.project,
        user=_optional("user", body.user) or own.user,
        models=own.models if body.models is None else tuple([_name("models", model) for model in body.models]),
        max_output_tokens=body.max_output_tokens or own.max_output_tokens,
        rate=RateLimit(rpm=body.rpm or rate.rpm, tpm=body.tpm or rate.tpm, in_flight=body.in_flight or rate.in_flight),
        tags={**own.tags, **{_name("tags", tag): _name("tags", value) for tag, value in body.tags.items()}},
        role=body.role,
        source="store",
        expires_ms=own.expires_ms if body.expires is None else _expiry(body.expires, now_ms),
        data=data_policy(body.data, own.data),
        protect=own.protect,
    )


def _name(param: str, text: str) -> str:
    try:
        if len(text) <= MAX_NAME_CHARS:
            return read_name(text)
    except Unreadable as error:
        raise MalformedRequest(f"{param}: {error.what}. {error.remedy}", param) from error
    raise MalformedRequest(f"{param}: at most {MAX_NAME_CHARS} characters", param)


def _optional(param: str, text: str | None) -> str | None:
    return None if text is None else _name(param, text)


def _expiry(text: str, now_ms: int) -> int:
    try:
        ends_ms = moment_ms(text, now_ms, end=True)
    except ValueError:
        message = "expires is a date or time such as 2027-01-31 or 2027-01-31T12:00:00Z"
        raise MalformedRequest(message, "expires") from None
    if ends_ms <= now_ms:
        raise MalformedRequest("expires is over already", "expires")
    return ends_ms


def _no_key(name: str) -> Refused:
    return Refused(status=404, message=f"there is no live key {name!r}; GET /bascule/api/keys lists them")


def _shown(made: tuple[StoredKey, str] | Refused, status: int) -> Response | Refused:
    if isinstance(made, Refused):
        return made
    stored, secret = made
    payload: dict[str, Any] = {"secret": secret, **key_payload(stored.policy, stored, stored.created_ms)}
    return document(payload, status)
