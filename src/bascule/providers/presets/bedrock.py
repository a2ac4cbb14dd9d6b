"""Amazon Bedrock by its Converse API, https://docs.aws.amazon.com/bedrock."""

from bascule.model.catalog import DataFacts
from bascule.providers.spec import ANY_VENDOR_BOUNDS, BEDROCK_PATHS, ProviderSpec

SPEC = ProviderSpec(
    name="bedrock",
    title="Amazon Bedrock",
    dialect="bedrock_converse",
    base_url="https://bedrock-runtime.{AWS_REGION}.amazonaws.com",
    base_url_env="AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    auth="sigv4",
    key_envs=("AWS_BEARER_TOKEN_BEDROCK",),
    key_required=False,
    paths=BEDROCK_PATHS,
    # Usage stands in the last event of every stream.
    stream_usage="always",
    data=DataFacts(
        jurisdiction="us",
        operator="Amazon Web Services",
        source="the operator's seat; where it runs depends on the region, and what is kept and trained on was not read",
    ),
    bounds=ANY_VENDOR_BOUNDS,
    price_provider="aws",
    notes="The region is AWS_REGION (or AWS_DEFAULT_REGION), or stands in `base_url`. With an API key in "
    "AWS_BEARER_TOKEN_BEDROCK nothing else is needed; requests are otherwise signed with AWS credentials (variables, "
    "files, roles), which takes `pip install 'bascule[bedrock]'`. AWS's keys are often set for other purposes, so they "
    "alone do not add this provider: write `bedrock: {}`. For an application inference profile with a Claude behind it "
    "write `quirks: [claude]`, and state its price.",
)
