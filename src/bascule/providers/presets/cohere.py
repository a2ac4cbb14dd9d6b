"""Cohere, https://docs.cohere.com."""

from bascule.providers.spec import ANY_VENDOR_BOUNDS, COHERE_PATHS, ProviderSpec, seat

SPEC = ProviderSpec(
    name="cohere",
    title="Cohere",
    dialect="cohere",
    base_url="https://api.cohere.com",
    key_envs=("CO_API_KEY", "COHERE_API_KEY"),
    paths=COHERE_PATHS,
    # Usage stands in the last event of every stream.
    stream_usage="always",
    data=seat("Cohere", "ca"),
    bounds=ANY_VENDOR_BOUNDS,
    price_provider="cohere",
    notes="Billed by `billed_units`, which leave the prompt's template out. Documents go as text only; JSON schemas do "
    "not go together with tools, so there the schema stands in the system prompt.",
)
