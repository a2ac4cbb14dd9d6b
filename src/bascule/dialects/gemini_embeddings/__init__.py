"""Google's embeddings: `embedContent` for one content and `batchEmbedContents` for several.

Providers are always asked for several, so that one path serves both; a client that asked for one gets its one back.
"""

from bascule.dialects.gemini_embeddings.dialect import GEMINI_EMBEDDINGS, GeminiEmbeddings
from bascule.dialects.gemini_embeddings.relay import RelayCodec
from bascule.dialects.gemini_embeddings.translate import FromOpenAI, ToOpenAI

__all__ = ["GEMINI_EMBEDDINGS", "FromOpenAI", "GeminiEmbeddings", "RelayCodec", "ToOpenAI"]
