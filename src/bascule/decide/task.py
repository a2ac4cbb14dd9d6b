"""What kind of work a request is: said by the client, else guessed by a few plain rules, else unknown.

The rules look at how sentences begin: what the system prompt, then the user's first message, tell the model to do
("Classify ...", "Could you please summarize ...", "Write a function ..."). This is no classifier: it does not
understand the text, knows English only, says nothing of how hard the work is, and returns None for most free
conversation. A wrong task is worse than none, because a floor may hang on it, so whatever is in doubt stays None.
"""

from functools import lru_cache
from typing import Literal

from bascule.model.facts import Facts

Task = Literal[
    "classification",
    "extraction",
    "summarization",
    "translation",
    "question_answering",
    "chat",
    "writing",
    "code_generation",
    "code_edit",
    "analysis",
    "reasoning",
    "math",
    "security_audit",
    "tool_step",
]
"""The rules here know most of them, the classifier (`learned/task_classifier.py`) all but `tool_step`."""
TaskSource = Literal["header", "rule", "classifier"]

HEAD_CHARS = 320
TAIL_CHARS = 120
_SENTENCES = 3
_WORDS = 14

_COURTESY = frozenset(
    {
        *("please", "kindly", "can", "could", "would", "you", "i", "we", "want", "need", "to", "help", "me", "us"),
        *("now", "hi", "hello", "hey", "your", "task", "job", "goal", "is", "my", "role", "and", "then", "first"),
        *("finally", "carefully", "briefly", "quickly", "just", "also", "must", "should", "will", "only"),
    }
)

_BY_VERB: dict[str, Task] = {
    **dict.fromkeys(("classify", "categorize", "categorise", "label", "classifies"), "classification"),
    **dict.fromkeys(("extract", "extracts"), "extraction"),
    **dict.fromkeys(("summarize", "summarise", "summarizes", "summarises", "tldr", "condense"), "summarization"),
    **dict.fromkeys(("analyze", "analyse", "compare", "assess", "analyzes", "analyses"), "analysis"),
    **dict.fromkeys(("prove", "solve", "derive"), "reasoning"),
    **dict.fromkeys(("implement", "refactor", "debug"), "code_generation"),
    **dict.fromkeys(("translate", "translates"), "translation"),
    **dict.fromkeys(("draft", "compose", "rewrite", "paraphrase", "proofread"), "writing"),
}
_MAKING = frozenset({"write", "generate", "create", "make", "build", "produce", "develop", "fix", "complete"})
_AUDITING = frozenset(
    {
        *("audit", "review", "find", "analyze", "analyse", "check", "perform", "conduct", "do", "identify"),
        *("assess", "examine", "scan"),
    }
)
_CODE = frozenset(
    {
        *("function", "functions", "script", "program", "class", "sql", "query", "regex", "code", "unit", "test"),
        *("tests", "api", "endpoint", "dockerfile", "component", "bash", "python", "javascript", "typescript"),
        *("rust", "java", "golang", "html", "css", "bug", "method", "module", "cli"),
    }
)
_PROSE = frozenset(
    {
        *("email", "essay", "blog", "article", "story", "poem", "letter", "post", "speech", "tweet", "newsletter"),
        *("slogan", "haiku", "biography", "toast", "song", "limerick", "announcement", "headline"),
    }
)
_SECURITY = ("security audit", "security review", "vulnerabilit", "penetration test", "threat model", "security flaw")
_ROLE: dict[str, Task] = {
    "classifier": "classification",
    "summarizer": "summarization",
    "summariser": "summarization",
    "extractor": "extraction",
    "copywriter": "writing",
}
_BEGINNINGS = _COURTESY | _MAKING | _AUDITING | frozenset(_BY_VERB) | {""}
_CODING_AGENT = ("claude code", "coding agent", "coding assistant", "software engineer", "codex")
_MARKS = "\"'`*#>()[]{},;:.!?-"


def task_of(said: str | None, facts: Facts) -> tuple[str | None, TaskSource | None]:
    """The task and where it comes from. `said` is the header's; it need not be one of `Task`. A few microseconds."""
    if said:
        return said, "header"
    task = _guess(facts)
    return task, None if task is None else "rule"


def _guess(facts: Facts) -> Task | None:
    if facts.system_text:
        # An application's own instructions say what is done; its user's text is then only material.
        task = _of_application(facts.system_text[:HEAD_CHARS], facts.tools > 0)
        if task is not None:
            return task
    text = facts.first_user_text
    task = _instructed(text[:HEAD_CHARS].lower())
    if task is None and len(text) > HEAD_CHARS:
        # A long message often ends in what is asked of it.
        task = _instructed(text[-TAIL_CHARS:].rpartition("\n")[2].lower())
    return task


@lru_cache(maxsize=1024)
def _of_application(system_text: str, has_tools: bool) -> Task | None:
    """Remembered, since an application sends the same instructions with every request."""
    system = system_text.lower()
    if has_tools and _mentions(system, _CODING_AGENT):
        return "code_generation"
    return _role(system) or _instructed(system)


@lru_cache(maxsize=1024)
def _instructed(text: str) -> Task | None:
    """The first sentence that tells what to do. Remembered, since a conversation begins the same at every turn."""
    for sentence in text.replace("\n", ". ").split(". ", _SENTENCES)[:_SENTENCES]:
        beginning = sentence.lstrip()
        if beginning.partition(" ")[0].strip(_MARKS) in _BEGINNINGS:
            task = _told(beginning.split(None, _WORDS)[:_WORDS], text)
            if task is not None:
                return task
    return None


def _mentions(text: str, phrases: tuple[str, ...]) -> bool:
    for phrase in phrases:  # noqa: SIM110 a generator would cost more than the search
        if phrase in text:
            return True
    return False


def _told(words: list[str], text: str) -> Task | None:
    for position, marked in enumerate(words):
        word = marked.strip(_MARKS)
        if not word or word in _COURTESY:
            continue
        if word in _AUDITING and _mentions(text, _SECURITY):
            return "security_audit"
        task = _BY_VERB.get(word)
        if task is not None:
            return task
        if word in _MAKING:
            return _made(words[position + 1 :], fixing=word == "fix")
        return None
    return None


def _made(words: list[str], *, fixing: bool) -> Task | None:
    """What is to be made is the first noun that we know: `a python function`, `an email about the bug`."""
    for marked in words:
        word = marked.strip(_MARKS)
        if word in _CODE:
            return "code_generation"
        if word in _PROSE and not fixing:
            return "writing"
    return None


def _role(system: str) -> Task | None:
    """`You are a sentiment classifier ...`"""
    if not system.startswith("you are a"):
        return None
    for marked in system.partition(". ")[0].split(None, _WORDS)[:_WORDS]:
        task = _ROLE.get(marked.strip(_MARKS))
        if task is not None:
            return task
    return None
