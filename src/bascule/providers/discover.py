"""Which providers an environment has what it takes for. Pure: a mapping in, values out."""

import re
from collections.abc import Iterable, Mapping

from bascule.config.environment import Found
from bascule.config.urls import UrlError, check_base_url
from bascule.providers.spec import ProviderSpec

_VARIABLE = re.compile(r"\{([A-Z0-9_]+)\}")


def discover(environment: Mapping[str, str], specs: Iterable[ProviderSpec]) -> tuple[Found, ...]:
    """Providers with a non-empty key; servers of one's own only where their address is set. One key of one service
    gives one provider."""
    found = [(spec, item) for spec in specs if (item := _found(environment, spec)) is not None]
    superseded = {name for spec, _ in found for name in spec.supersedes}
    return tuple([item for spec, item in found if spec.name not in superseded])


def _found(environment: Mapping[str, str], spec: ProviderSpec) -> Found | None:
    def value(name: str) -> str:
        return environment.get(name, "").strip()

    address = _address(value(spec.base_url_env), spec) if spec.base_url_env and value(spec.base_url_env) else None
    if spec.local:
        if address is None or spec.base_url_env is None:
            return None
        return Found(spec.name, spec.base_url_env, None if address == spec.base_url else address, needs_key=False)
    variable = next((name for name in spec.key_envs if value(name)), None)
    if variable is None:
        return None
    if spec.base_url is None:
        return None if address is None else Found(spec.name, variable, address)
    wanted = _VARIABLE.findall(spec.base_url)
    if not wanted:
        return Found(spec.name, variable)
    if not all(value(name) for name in wanted):
        return None
    filled = _usable(_VARIABLE.sub(lambda match: value(match.group(1)), spec.base_url))
    return None if filled is None else Found(spec.name, variable, filled)


def _address(text: str, spec: ProviderSpec) -> str | None:
    """An address as users write it: `OLLAMA_HOST` is often `0.0.0.0` or `host:port` without a scheme or path."""
    if "://" not in text:
        text = f"http://{text}"
    usable = _usable(text)
    if usable is None or not spec.local:
        return usable
    scheme, _, rest = usable.partition("://")
    host, slash, path = rest.partition("/")
    host = host.replace("0.0.0.0", "127.0.0.1", 1)  # noqa: S104  what a server listens on is not where it is reached
    if ":" not in host.rpartition("]")[2]:
        own_port = (spec.base_url or "").rpartition(":")[2].partition("/")[0]
        host = f"{host}:{own_port}" if own_port.isdigit() and scheme == "http" else host
    return f"{scheme}://{host}/{path}" if slash and path else f"{scheme}://{host}/v1"


def _usable(text: str) -> str | None:
    try:
        return check_base_url(text)
    except UrlError:
        return None
