"""Images and files as OpenAI's dialects name them: by address, or as data URLs."""


def data_url(url: str) -> tuple[str | None, str | None]:
    """(media type, base64 payload) of a data URL; (None, None) for any other."""
    if not url.startswith("data:"):
        return None, None
    head, _, payload = url[5:].partition(",")
    return head.partition(";")[0] or None, payload


def is_address(url: str) -> bool:
    """True for what a provider could fetch."""
    return url[:8].lower().startswith(("http://", "https://"))
