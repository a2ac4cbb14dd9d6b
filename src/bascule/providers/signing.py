"""How requests are signed, as a value: who signs, for which place, with what. `upstream/sigv4.py` does it."""

import re

from msgspec import Struct

from bascule.config.secret import Secret

_REGION = re.compile(r"\bbedrock-runtime(?:-fips)?\.([a-z]{2,}(?:-[a-z]+)+-\d+)\.")


class AwsKeys(Struct, frozen=True, kw_only=True):
    """Credentials that were given outright."""

    access_key_id: Secret
    secret_access_key: Secret
    session_token: Secret | None = None


class SigV4(Struct, frozen=True, kw_only=True):
    """Sign with AWS Signature Version 4."""

    region: str
    service: str = "bedrock"
    keys: AwsKeys | None = None
    """None: from where AWS's own tools find them: profiles and files, single sign-on, the roles of machines."""

    @property
    def secrets(self) -> list[Secret]:
        """What must not be told."""
        keys = self.keys
        if keys is None:
            return []
        found = (keys.access_key_id, keys.secret_access_key, keys.session_token)
        return [secret for secret in found if secret is not None]


def region_of(host: str) -> str | None:
    """The region that an AWS host name says, e.g. `bedrock-runtime.eu-central-1.amazonaws.com`."""
    found = _REGION.search(host)
    return None if found is None else found.group(1)
