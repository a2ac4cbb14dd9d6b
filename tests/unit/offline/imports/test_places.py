import os
from pathlib import Path

import pytest

from bascule.offline.imports.booking import project_of
from bascule.offline.imports.places import NoLogs, claude_homes, codex_homes, find_logs, session_file


def touch(path: Path, at: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}\n")
    os.utime(path, (at, at))
    return path


def test_homes() -> None:
    home = Path("/home/ann")
    assert claude_homes({}, home) == [home / ".claude", home / ".config/claude"]
    assert claude_homes({"XDG_CONFIG_HOME": "/x"}, home)[1] == Path("/x/claude")
    assert claude_homes({"CLAUDE_CONFIG_DIR": "/a, /b"}, home) == [Path("/a"), Path("/b")]
    assert codex_homes({}, home) == [home / ".codex"]
    assert codex_homes({"CODEX_HOME": "/c"}, home) == [Path("/c")]


def test_sessions_in_the_order_of_their_writing_each_with_its_agents(tmp_path: Path) -> None:
    projects = tmp_path / "projects"
    late = touch(projects / "p/a.jsonl", 50)
    agent = touch(projects / "p/a/subagents/deep/agent-1.jsonl", 10)
    early = touch(projects / "q/b.jsonl", 20)
    touch(tmp_path / "history.jsonl", 1)
    touch(projects / "q/notes.txt", 1)
    found = find_logs([tmp_path], ("projects",), given=True)
    assert [file.path for file in found.files] == [early, late, agent]
    assert found.size_bytes == 9
    for root in (projects, projects / "p", late):
        assert late in [file.path for file in find_logs([root], ("projects",), given=True).files]
    assert [file.path for file in find_logs([late], ("projects",), given=True).files] == [late]


def test_the_same_file_is_read_once(tmp_path: Path) -> None:
    real = touch(tmp_path / "one/a.jsonl", 1)
    (tmp_path / "two").symlink_to(tmp_path / "one")
    found = find_logs([tmp_path / "one", tmp_path / "two"], (), given=True)
    assert [file.path for file in found.files] == [real]


def test_nothing_there_says_where_to_point(tmp_path: Path) -> None:
    with pytest.raises(NoLogs, match="check the path"):
        find_logs([tmp_path / "nope"], ("projects",), given=True)
    with pytest.raises(NoLogs, match="name the folder"):
        find_logs([tmp_path / "nope"], ("projects",), given=False)
    with pytest.raises(NoLogs, match="projects in it"):
        find_logs([tmp_path], ("projects",), given=True)
    touch(tmp_path / "history.jsonl", 1)
    with pytest.raises(NoLogs):
        find_logs([tmp_path], ("projects",), given=False)


def test_a_broken_link_is_unreadable_not_fatal(tmp_path: Path) -> None:
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    touch(tmp_path / "a.jsonl", 1)
    found = find_logs([tmp_path], (), given=True)
    assert len(found.files) == 1
    assert [lost.path.name for lost in found.unreadable] == ["gone.jsonl"]


def test_a_sub_agents_session() -> None:
    session = Path("/p/s1.jsonl")
    assert session_file(Path("/p/s1/subagents/agent-1.jsonl")) == session
    assert session_file(Path("/p/s1/subagents/x/subagents/agent-1.jsonl")) == Path("/p/s1/subagents/x.jsonl")
    assert session_file(session) == session


@pytest.mark.parametrize(
    ("cwd", "project"),
    [
        ("/home/ann/shop", "shop"),
        ("/home/ann/shop/", "shop"),
        ("/home/ann/shop/.claude/worktrees/tax", "shop"),
        ("/home/ann/shop/.worktrees/tax/src", "shop"),
        ("C:\\work\\shop", "shop"),
        ("/", None),
    ],
)
def test_projects(cwd: str, project: str | None) -> None:
    assert project_of(cwd) == project
