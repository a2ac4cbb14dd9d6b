import pytest

from bascule.offline.pull_request import PullRequest, is_trunk, pull_requests, repository_of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("12", [(None, 12)]),
        ("#12", [(None, 12)]),
        ("pr-17", [(None, 17)]),
        ("PR#17", [(None, 17)]),
        ("Acme/Web#12", [("acme/web", 12)]),
        ("https://github.com/acme/web/pull/12", [("acme/web", 12)]),
        ("https://github.com/acme/web/pull/12/files", [("acme/web", 12)]),
        ("https://gitlab.com/group/sub/web/-/merge_requests/3", [("group/sub/web", 3)]),
        ("group/web!3", [("group/web", 3)]),
        ("12, 13;#14", [(None, 12), (None, 13), (None, 14)]),
        ("12 12", [(None, 12)]),
        ("", []),
        (None, []),
        ("feature-login", []),
        ("v1.2.3", []),
        ("release 2 next", [(None, 2)]),
    ],
)
def test_pull_requests_as_people_and_programs_write_them(text, found):
    assert [(each.repository, each.number) for each in pull_requests(text)] == found


def test_a_pull_request_of_another_repository_is_another():
    assert PullRequest("acme/web", 12).same(PullRequest(None, 12))
    assert PullRequest("acme/web", 12).is_of("Acme/Web")
    assert not PullRequest("acme/web", 12).same(PullRequest("acme/api", 12))
    assert not PullRequest(None, 12).same(PullRequest(None, 13))


def test_trunks_belong_to_nobody():
    assert is_trunk(None)
    assert is_trunk("main")
    assert is_trunk("release", {"release"})
    assert not is_trunk("feature/main")


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("git@github.com:Acme/web.git", "acme/web"),
        ("ssh://git@github.com:22/acme/web.git", "acme/web"),
        ("https://token@github.com/acme/web", "acme/web"),
        ("https://gitlab.com/group/sub/web.git/", "group/sub/web"),
        ("/srv/git/web.git", None),
        ("../web", None),
    ],
)
def test_the_repository_of_a_remote(remote, name):
    assert repository_of(remote) == name
