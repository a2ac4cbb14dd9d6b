"""A suite: cases to be answered, and how each is graded. Read from YAML, JSON or JSON Lines, every mistake at once."""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import orjson
from msgspec import Struct

from bascule.config.document import Mapping, Node, Scalar, Sequence, parse
from bascule.config.scalars import Unreadable, decimal
from bascule.decide.grade import Contains, Exact, Numeric, Regex, Schema, prepare
from bascule.decide.json_schema import GraderError
from bascule.decide.output_contract import prepare_output_contract
from bascule.model.errors import ConfigError, Problem
from bascule.model.output_contract import OutputContract
from bascule.offline.evaluation.calls import Guard
from bascule.offline.evaluation.graders import AnyGrader, Judged, Pairwise, Python

MAX_CASES = 100_000
MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_TOKENS = 2_048
"""Output cap of a case that states none. Always sent, so that no budget can shorten an answer."""
SEE = "See docs/evaluation.md"


class Case(Struct, frozen=True, kw_only=True):
    """One request and how its answer is graded."""

    id: str
    body: dict[str, Any]
    """In the words of `surface`, without `model`."""
    surface: str = "openai_chat"
    grader: AnyGrader | None = None
    """None: nothing but a judge of the command line can tell what an answer is worth."""
    reference: str | None = None
    """A right answer as text, for judges."""
    question: str
    """What was asked, as a judge sees it."""
    task: str | None = None
    tags: tuple[str, ...] = ()
    incumbent: str | None = None
    """The answer that was recorded, where the case was sampled."""
    guard: Guard | None = None
    """Of a case that was sampled: who may see it."""

    @property
    def digest(self) -> str:
        """Equal for cases that ask and grade the same."""
        return digest_of([self.surface, self.body, self.reference, msgspec.to_builtins(self.grader)])


class Suite(Struct, frozen=True, kw_only=True):
    name: str
    cases: tuple[Case, ...]
    source: str
    """The file, or how the cases were sampled."""
    keeps_content: bool = True
    """Answers may be kept on disk: the cases come from a file, not from what users said."""

    @property
    def digest(self) -> str:
        return digest_of([[case.id, case.digest] for case in self.cases])


class _CaseShape(Struct, kw_only=True, forbid_unknown_fields=True):
    id: str | None = None
    prompt: str | None = None
    system: str | None = None
    messages: list[dict[str, Any]] | None = None
    request: dict[str, Any] = {}
    """Further fields of a Chat Completions body: tools, response_format, temperature."""
    expected: str | int | float | bool | list[str | int | float] | None = None
    grader: dict[str, Any] | None = None
    reference: str | None = None
    max_tokens: int | None = None
    task: str | None = None
    tags: list[str] = []


class _SuiteShape(Struct, kw_only=True, forbid_unknown_fields=True):
    name: str | None = None
    defaults: dict[str, Any] = {}
    cases: list[Any] = []


class _Raw(Struct, frozen=True):
    """A case as it stands in the file, and where."""

    where: str
    value: Any


def read_suite(path: Path) -> Suite:
    """Raises ConfigError with every mistake, each with its place and its remedy."""
    defaults, raws, name, problems = _raws(path)
    if len(raws) > MAX_CASES:
        raise ConfigError((Problem(str(path), f"has more than {MAX_CASES:,} cases", "Split it into several suites"),))
    cases: list[Case] = []
    seen: dict[str, str] = {}
    for number, raw in enumerate(raws, start=1):
        made = _case(raw, number, defaults, path.parent)
        if isinstance(made, Problem):
            problems.append(made)
        elif made.id in seen:
            problems.append(
                Problem(
                    raw.where, f"the id {made.id!r} is already that of the case at {seen[made.id]}", "Give it its own"
                )
            )
        else:
            seen[made.id] = raw.where
            cases.append(made)
    if not problems and not cases:
        problems.append(Problem(str(path), "has no cases", f"Add some under `cases`. {SEE}"))
    if problems:
        raise ConfigError(tuple(problems))
    return Suite(name=name, cases=tuple(cases), source=str(path))


def raw_cases(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """(id, the case as it stands in the file, with the file's defaults in it and the graders' files as they are found
    from anywhere) of a suite that `read_suite` has read. Raises ConfigError."""
    defaults, raws, _, _ = _raws(path)
    cases = []
    for number, raw in enumerate(raws, start=1):
        case = {**defaults, **raw.value}
        grader = case.get("grader")
        if isinstance(grader, dict) and grader.get("type") == "python":
            case["grader"] = {**grader, "file": str((path.parent / grader["file"]).resolve())}
        cases.append((case.setdefault("id", _default_id(number)), case))
    return cases


def digest_of(value: Any) -> str:
    """32 hex digits; equal for equal JSON values, whatever the order of keys."""
    raw = orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
    return blake2b(raw, digest_size=16).hexdigest()


def _raws(path: Path) -> tuple[dict[str, Any], list[_Raw], str, list[Problem]]:
    text = _text(path)
    if path.suffix in (".jsonl", ".ndjson"):
        return {}, list(_lines(text, str(path))), path.stem, []
    name, defaults, raws, problems = _document(text, path)
    return defaults, raws, name, problems


def _default_id(number: int) -> str:
    return f"case-{number}"


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            what = f"is larger than {MAX_FILE_BYTES // 2**20} MiB"
            raise ConfigError((Problem(str(path), what, "Split it into several suites"),))
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        what = f"cannot be read: {error.strerror or 'error'}"
        raise ConfigError((Problem(str(path), what, f"Give an existing file. {SEE}"),)) from error
    except UnicodeDecodeError as error:
        raise ConfigError((Problem(str(path), "is not UTF-8", "Save the file as UTF-8"),)) from error


def _lines(text: str, file: str) -> Iterator[_Raw]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                yield _Raw(f"{file}:{number}", orjson.loads(line))
            except orjson.JSONDecodeError as error:
                yield _Raw(f"{file}:{number}", error)


def _document(text: str, path: Path) -> tuple[str, dict[str, Any], list[_Raw], list[Problem]]:
    file = str(path)
    node, syntax = parse(text, file)
    problems = list(syntax)
    raws: list[_Raw] = []
    shape = _SuiteShape()
    if isinstance(node, Mapping):
        listed = next((child for key, child in node.pairs if key.text == "cases"), None)
        if isinstance(listed, Sequence):
            raws = [_Raw(f"{file}:{item.mark.line}:{item.mark.column}", plain(item)) for item in listed.items]
        try:
            shape = msgspec.convert(plain(node), _SuiteShape)
        except msgspec.ValidationError as error:
            problems.append(Problem(f"{file}:{node.mark.line}", str(error), SEE))
    elif isinstance(node, Sequence):
        raws = [_Raw(f"{file}:{item.mark.line}:{item.mark.column}", plain(item)) for item in node.items]
    elif not problems:
        problems.append(Problem(file, "is neither a mapping with `cases` nor a list of cases", SEE))
    return shape.name or path.stem, shape.defaults, raws, problems


def plain(node: Node) -> Any:
    """A tree of YAML as JSON values."""
    if isinstance(node, Mapping):
        return {key.text: plain(child) for key, child in node.pairs}
    if isinstance(node, Sequence):
        return [plain(child) for child in node.items]
    return _scalar(node)


def _scalar(node: Scalar) -> Any:
    match node.kind:
        case "null":
            return None
        case "bool":
            return node.text.casefold() == "true"
        case "int" | "float":
            try:
                number = decimal(node.text)
            except Unreadable:
                return node.text  # octal, hexadecimal, infinity: what is meant is for the reader of the field to refuse
            return int(number) if node.kind == "int" else float(number)
        case _:
            return node.text


def _case(raw: _Raw, number: int, defaults: dict[str, Any], folder: Path) -> Case | Problem:
    if isinstance(raw.value, Exception):
        return Problem(raw.where, f"is not JSON: {raw.value}", "One case a line")
    if not isinstance(raw.value, dict):
        return Problem(raw.where, "is not a case", f"A case is a mapping with `prompt` or `messages`. {SEE}")
    try:
        shape = msgspec.convert({**defaults, **raw.value}, _CaseShape)
        grader = _grader(shape, folder)
    except (msgspec.ValidationError, GraderError) as error:
        return Problem(raw.where, str(error), SEE)
    messages = _messages(shape)
    if isinstance(messages, str):
        return Problem(raw.where, messages, SEE)
    if "model" in shape.request:
        return Problem(raw.where, "`request` names a model", "Models are named with --models; leave it out")
    body = {"max_tokens": shape.max_tokens or MAX_TOKENS, **shape.request, "messages": messages}
    reference = shape.reference
    if reference is None and shape.expected is not None:
        reference = ", ".join(_texts(shape.expected))
    return Case(
        id=shape.id or _default_id(number),
        body=body,
        grader=grader,
        reference=reference,
        question=conversation(messages),
        task=shape.task,
        tags=tuple(shape.tags),
    )


def _messages(shape: _CaseShape) -> list[dict[str, Any]] | str:
    """The conversation, or what is wrong with it."""
    if (shape.prompt is None) == (shape.messages is None):
        return "a case has either `prompt` or `messages`"
    if shape.messages is not None:
        if shape.system is not None:
            return "`system` stands beside `messages`; make it the first of them"
        return shape.messages or "`messages` is empty"
    system = [] if shape.system is None else [{"role": "system", "content": shape.system}]
    return [*system, {"role": "user", "content": shape.prompt}]


def _grader(shape: _CaseShape, folder: Path) -> AnyGrader | None:
    """The grader with the case's `expected` in it. Raises GraderError and msgspec.ValidationError."""
    spec = shape.grader
    if spec is None:
        if shape.expected is None:
            return None
        spec = {"type": "exact"}
    kind = spec.get("type")
    merged = dict(spec)
    if shape.expected is not None and "expected" not in merged:
        if kind in ("exact", "contains"):
            merged["expected"] = _texts(shape.expected)
        elif kind == "numeric":
            merged["expected"] = ",".join(_texts(shape.expected))
    elif kind in ("exact", "contains") and not isinstance(merged.get("expected"), list | None):
        merged["expected"] = _texts(merged["expected"])
    for name in ("expected", "tolerance", "relative_tolerance"):
        if kind == "numeric" and isinstance(merged.get(name), int | float):
            merged[name] = str(merged[name])
    grader: AnyGrader = msgspec.convert(merged, AnyGrader)
    if isinstance(grader, Exact | Contains | Numeric | Regex | Schema):
        prepare(grader)
    elif isinstance(grader, OutputContract):
        prepare_output_contract(grader)
    elif isinstance(grader, Python):
        grader = msgspec.structs.replace(grader, file=str((folder / grader.file).resolve()))
        if not Path(grader.file).is_file():
            raise GraderError(f"the grader's file {grader.file} does not exist")
    elif isinstance(grader, Judged | Pairwise) and not grader.criteria.strip():
        raise GraderError("`criteria` is empty; say what a good answer is")
    return grader


def _texts(expected: Any) -> list[str]:
    listed = expected if isinstance(expected, list) else [expected]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in listed]


def conversation(messages: list[dict[str, Any]]) -> str:
    """Messages as text for a judge: of one user message its words, else turns with their roles."""
    if len(messages) == 1:
        return _said(messages[0].get("content"))
    return "\n\n".join([f"{message.get('role', 'user')}: {_said(message.get('content'))}" for message in messages])


def _said(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list | tuple):
        parts = [part if isinstance(part, dict) else {} for part in content]
        return "\n".join([str(part["text"]) if "text" in part else f"[{part.get('type', 'part')}]" for part in parts])
    return ""
