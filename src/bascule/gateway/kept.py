"""Translated Responses answers, kept in bounded memory for whoever refers to them: an option, off by default.

Nothing is written to disk (`privacy.record_content` is about that), and a key finds only what it was given itself.
Relayed answers are their provider's to keep.
"""

from collections import OrderedDict

import msgspec
from msgspec import Raw, Struct

from bascule.dialects.base import Body
from bascule.dialects.openai_responses.history import as_items, expanded, id_of, output_of
from bascule.dialects.respelled import as_written
from bascule.model.errors import Refusal

Name = tuple[str, str]
"""(key, response id)."""


class KeptAnswer(Struct, frozen=True):
    """One answer. JSON text, since that is what memory is counted by."""

    response: bytes
    conversation: bytes
    """The items up to its end, what was referred to included."""
    until_s: float

    @property
    def size(self) -> int:
        return len(self.response) + len(self.conversation)


class KeptAnswers:
    """The least recently used ones go first, bounded in number, bytes and age."""

    def __init__(
        self, *, ttl_s: float, max_entries: int, max_bytes: int, max_body_bytes: int, max_body_values: int = 1_000_000
    ) -> None:
        """`max_body_bytes`, `max_body_values`: of a request together with what it refers to."""
        self._ttl_s = ttl_s
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._max_body_bytes = max_body_bytes
        self._max_body_values = max_body_values
        self._answers: OrderedDict[Name, KeptAnswer] = OrderedDict()
        self._items: dict[Name, str] = {}
        """(key, item id) to the id of its response."""
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._answers)

    def keep(self, key: str, body: Body, response: bytes, now_s: float) -> None:
        """Keep an answer to this request (as it was translated), unless its client said not to."""
        if body.get("store") is False:
            return
        output = output_of(response)
        conversation = msgspec.json.encode([*as_items(body.get("input")), *map(Raw, output.values())])
        answer = KeptAnswer(response, conversation, now_s + self._ttl_s)
        if answer.size > self._max_bytes:
            return
        response_id = id_of(response)
        self.forget(key, response_id)
        self._answers[key, response_id] = answer
        self._bytes += answer.size
        for item_id in output:
            self._items[key, item_id] = response_id
        while len(self._answers) > self._max_entries or self._bytes > self._max_bytes:
            self.forget(*next(iter(self._answers)))

    def response(self, key: str, response_id: str, now_s: float) -> bytes | None:
        """The answer as its client got it."""
        found = self._find(key, response_id, now_s)
        return None if found is None else found.response

    def forget(self, key: str, response_id: str) -> bool:
        """Whether there was one."""
        answer = self._answers.pop((key, response_id), None)
        if answer is None:
            return False
        self._bytes -= answer.size
        for item_id in output_of(answer.response):
            self._items.pop((key, item_id), None)
        return True

    def clear(self) -> None:
        """Forget all of them."""
        self._answers.clear()
        self._items.clear()
        self._bytes = 0

    def expand(self, key: str, body: Body, raw: bytes, now_s: float) -> Body | Refusal | None:
        """The request, which has come as `raw`, with what was kept in the place of references to it; None
        where none of it was. Each answer is read once."""
        outputs: dict[str, dict[str, bytes]] = {}

        def conversation(response_id: str) -> bytes | None:
            found = self._find(key, response_id, now_s)
            return None if found is None else found.conversation

        def item(item_id: str) -> bytes | None:
            response_id = self._items.get((key, item_id))
            if response_id is None:
                return None
            if response_id not in outputs:
                found = self._find(key, response_id, now_s)
                outputs[response_id] = {} if found is None else output_of(found.response)
            return outputs[response_id].get(item_id)

        room_bytes, room_values = self._max_body_bytes - len(raw), self._max_body_values
        found = expanded(body, conversation, item, room_bytes, room_values)
        if found is None or isinstance(found, Refusal) or (exact := as_written(body, raw)) is body:
            return found
        return expanded(exact, conversation, item, room_bytes, room_values)

    def _find(self, key: str, response_id: str, now_s: float) -> KeptAnswer | None:
        answer = self._answers.get((key, response_id))
        if answer is None:
            return None
        if now_s >= answer.until_s:
            self.forget(key, response_id)
            return None
        self._answers.move_to_end((key, response_id))
        return answer
