"""What a provider needs of the environment beside a key: its place, and the credentials that sign its requests."""

import re
from importlib.util import find_spec

from bascule.config.check import Checks
from bascule.config.places import Path
from bascule.config.secret import Secret
from bascule.config.sources import SecretMissing, SecretSource
from bascule.config.urls import UrlError, check_base_url, host_of
from bascule.providers.signing import AwsKeys, SigV4, region_of
from bascule.providers.spec import ProviderSpec

_VARIABLE = re.compile(r"\{([A-Z0-9_]+)\}")
_ALSO = {"AWS_REGION": "AWS_DEFAULT_REGION"}
"""Variables that stand in for another."""
_REGION = re.compile(r"[a-z0-9-]{2,40}")


def filled(base_url: str, secrets: SecretSource) -> str | None:
    """An address whose `{NAME}`s are variables, filled in; None where one is not set or gives no address."""
    address = base_url
    for name in _VARIABLE.findall(base_url):
        value = _variable(name, secrets) or _variable(_ALSO.get(name, name), secrets)
        if value is None:
            return None
        address = address.replace(f"{{{name}}}", value.reveal().decode())
    try:
        return check_base_url(address)
    except UrlError:
        return None


def link_signing(
    spec: ProviderSpec, origin: str, secret: Secret | None, path: Path, secrets: SecretSource, checks: Checks
) -> SigV4 | None:
    """How requests are signed; None where they are not, or where that cannot be, which is noted in `checks`."""
    if spec.auth != "sigv4" or secret is not None:
        return None
    if find_spec("botocore") is None:
        mend = "pip install 'bascule[bedrock]', or set AWS_BEARER_TOKEN_BEDROCK to a Bedrock API key"
        checks.wrong(path, "signing requests with AWS credentials takes the extra `bedrock`, which is not there", mend)
        return None
    region = region_of(host_of(origin)) or _region(secrets)
    if region is None:
        checks.wrong(path, "the AWS region is not known", "Set it: export AWS_REGION=…")
        return None
    key_id, secret_key = _variable("AWS_ACCESS_KEY_ID", secrets), _variable("AWS_SECRET_ACCESS_KEY", secrets)
    if key_id is None or secret_key is None:
        return SigV4(region=region)
    token = _variable("AWS_SESSION_TOKEN", secrets)
    return SigV4(region=region, keys=AwsKeys(access_key_id=key_id, secret_access_key=secret_key, session_token=token))


def _region(secrets: SecretSource) -> str | None:
    found = _variable("AWS_REGION", secrets) or _variable("AWS_DEFAULT_REGION", secrets)
    region = None if found is None else found.reveal().decode()
    return region if region is not None and _REGION.fullmatch(region) else None


def _variable(name: str, secrets: SecretSource) -> Secret | None:
    try:
        return secrets.read(f"env:{name}")
    except SecretMissing:
        return None  # the caller says what that means
