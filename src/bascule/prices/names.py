"""What the price book calls the providers that our presets and other tools name otherwise."""

BOOK_NAMES = {
    "azure_openai": "azure",
    "azure-openai": "azure",
    "bedrock": "aws",
    "copilot": "github-copilot",
    "fireworks-ai": "fireworks",
    "fireworks_ai": "fireworks",
    "gemini": "google",
    "google-ai-studio": "google",
    "grok": "x-ai",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "together-ai": "together",
    "together_ai": "together",
    "togetherai": "together",
    "vertex": "google",
    "voyage": "voyageai",
    "xai": "x-ai",
    "z-ai": "zai",
    "z.ai": "zai",
    "zhipu": "zhipuai",
}


def book_name(provider: str) -> str:
    """The price book's id of a provider, by its preset's name or another common one; unknown names pass through."""
    name = provider.strip().lower()
    return BOOK_NAMES.get(name, name)
