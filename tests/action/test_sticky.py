"""The one comment of a pull request, against a server that answers as GitHub does."""

from collections.abc import Iterator

import pytest

from meshplan.delivery.github import ForbiddenError, GitHub, TooLongError
from meshplan.delivery.http import Clock, DeliveryError, Http
from meshplan.delivery.sticky import Done, Marker, Mode, Note, Outcome, marker, stick
from support.github_api import HEAD, FakeGitHub, Reply, github_server

LIMITED = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github_server() as made:
        made.pull()
        yield made


class Time:
    """A clock that nobody waits for."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep)


def say(
    fake: FakeGitHub,
    body: str = "## plan\n",
    *,
    run: int = 10,
    attempt: int = 1,
    name: str = "meshplan",
    matters: bool = True,
    commit: str = HEAD,
    mode: Mode = Mode.AUTO,
    time: Time | None = None,
    token: str = "",
) -> Outcome:
    http = Http(fake.url, clock=(time or Time()).clock)
    api = GitHub.connect(http, token or fake.token, fake.repository, f"{fake.url}/graphql")
    return stick(api, 7, marker(name, run, attempt), Note(body, matters, commit), mode)


class TestStates:
    def test_there_is_one_comment_whatever_is_said(self, fake: FakeGitHub) -> None:
        assert say(fake, "one\n", run=1).done is Done.CREATED
        assert say(fake, "two\n", run=2).done is Done.UPDATED
        assert say(fake, "fine\n", run=3, matters=False).done is Done.RESOLVED
        [comment] = fake.comments
        assert comment["body"].splitlines()[1:] == ["fine"]
        assert Marker.of(comment["body"]).run == 3
        assert fake.writes() == ["POST", "PATCH", "PATCH"]

    def test_the_same_is_not_written_again(self, fake: FakeGitHub) -> None:
        say(fake, run=1)
        done = say(fake, run=2)
        assert done.done is Done.LEFT
        assert "the same already" in str(done)
        assert fake.writes() == ["POST"]

    def test_line_ends_of_a_browser_are_the_same(self, fake: FakeGitHub) -> None:
        say(fake, "a\n\nb\n", run=1)
        fake.comments[0]["body"] = fake.comments[0]["body"].replace("\n", "\r\n").rstrip()
        assert say(fake, "a\n\nb\n", run=2).done is Done.LEFT

    def test_where_nothing_is_wrong_there_is_no_comment(self, fake: FakeGitHub) -> None:
        assert say(fake, matters=False).done is Done.LEFT
        assert not fake.comments
        assert say(fake, matters=False, mode=Mode.ALWAYS).done is Done.CREATED

    def test_never_asks_nothing(self, fake: FakeGitHub) -> None:
        assert say(fake, mode=Mode.NEVER).done is Done.LEFT
        assert not fake.asked

    def test_each_name_has_its_comment(self, fake: FakeGitHub) -> None:
        say(fake, "a\n", name="prod")
        say(fake, "b\n", name="prod.eu")
        assert len(fake.comments) == 2

    @pytest.mark.parametrize("name", ["", "a b", "x -->", "a\n", "x" * 65, "é"])
    def test_a_name_cannot_end_the_marker(self, name: str) -> None:
        with pytest.raises(DeliveryError, match="no name for a comment"):
            marker(name, 1, 1)


class TestOrder:
    def test_an_older_run_leaves_alone_what_a_newer_one_says(self, fake: FakeGitHub) -> None:
        say(fake, "new\n", run=12)
        done = say(fake, "old\n", run=11)
        assert done.done is Done.LEFT
        assert "run 12 is newer" in str(done)
        assert "new" in fake.comments[0]["body"]

    def test_a_run_again_is_newer_than_its_first_attempt(self, fake: FakeGitHub) -> None:
        say(fake, "second\n", run=12, attempt=2)
        assert say(fake, "first\n", run=12, attempt=1).done is Done.LEFT
        assert say(fake, "third\n", run=12, attempt=3).done is Done.UPDATED

    def test_a_run_of_a_commit_that_is_not_the_head_any_more_is_silent(
        self, fake: FakeGitHub
    ) -> None:
        done = say(fake, run=99, commit="d" * 40)
        assert done.done is Done.LEFT
        assert "moved on" in str(done)
        assert not fake.writes()

    def test_a_newer_run_wins_over_one_that_is_slow(self, fake: FakeGitHub) -> None:
        """A newer run writes while this one has seen that there is no comment."""

        def between(method: str, path: str) -> None:
            if method == "GET" and path.endswith("comments?per_page=100"):
                fake.after = None
                fake.comment(Marker("meshplan", 12, 1).over("new\n"))

        fake.after = between
        assert say(fake, "old\n", run=11).done is Done.CREATED
        # Two for a moment; whoever comes next keeps what the newest run says.
        assert len(fake.comments) == 2
        assert say(fake, "old again\n", run=11, attempt=2).done is Done.LEFT
        [comment] = fake.comments
        assert comment["body"].endswith("new\n")


class TestIdentity:
    def test_a_marker_that_somebody_else_wrote_is_not_ours(self, fake: FakeGitHub) -> None:
        stolen = Marker("meshplan", 99, 1).over("fake verdict\n")
        fake.comment(stolen, author="mallory")
        assert say(fake).done is Done.CREATED
        assert fake.comments[0]["body"] == stolen

    def test_a_quoted_marker_is_no_marker(self, fake: FakeGitHub) -> None:
        ours = Marker("meshplan", 99, 1).over("x\n")
        for body in (f"> {ours}", f"look:\n{ours}", f" {ours}", ours.replace("-->", "")):
            fake.comment(body)
        assert say(fake).done is Done.CREATED
        assert len(fake.comments) == 5

    def test_the_comment_is_found_on_a_later_page(self, fake: FakeGitHub) -> None:
        fake.per_page = 3
        for number in range(10):
            fake.comment(f"talk {number}", author="somebody")
        say(fake, "one\n", run=1)
        for number in range(5):
            fake.comment(f"more {number}", author="somebody")
        assert say(fake, "two\n", run=2).done is Done.UPDATED
        assert len(fake.comments) == 16

    def test_pages_of_another_server_are_not_followed(self, fake: FakeGitHub) -> None:
        link = '<https://evil.example/steal>; rel="next"'
        fake.fail("GET", "/comments", Reply(200, [], {"Link": link}))
        with pytest.raises(DeliveryError, match="another server"):
            say(fake)

    def test_a_token_that_may_not_say_whose_it_is_is_the_workflows(self, fake: FakeGitHub) -> None:
        say(fake, "one\n", run=1)
        fake.fail("POST", "/graphql", Reply(403, {"message": "Resource not accessible"}))
        assert say(fake, "two\n", run=2).done is Done.UPDATED


class TestRefusals:
    def test_no_token(self, fake: FakeGitHub) -> None:
        with pytest.raises(DeliveryError, match="there is no token"):
            GitHub.connect(Http(fake.url), "", fake.repository)

    def test_a_bad_token(self, fake: FakeGitHub) -> None:
        with pytest.raises(ForbiddenError, match="does not accept the token: Bad credentials"):
            say(fake, token="wrong")

    def test_no_permission(self, fake: FakeGitHub) -> None:
        message = "Resource not accessible by integration"
        fake.fail("POST", "/issues/7/comments", Reply(403, {"message": message}))
        with pytest.raises(ForbiddenError, match=message) as error:
            say(fake)
        assert "pull-requests: write" in error.value.hint

    def test_a_locked_conversation(self, fake: FakeGitHub) -> None:
        fake.pulls[0]["locked"] = True
        refused = Reply(403, {"message": "Unable to create comment because issue is locked."})
        fake.fail("POST", "/issues/7/comments", refused)
        with pytest.raises(ForbiddenError, match="pull request 7 is locked"):
            say(fake)

    def test_a_closed_pull_request(self, fake: FakeGitHub) -> None:
        fake.pulls[0]["state"] = "closed"
        assert "closed" in str(say(fake))
        assert not fake.writes()

    def test_no_such_pull_request(self, fake: FakeGitHub) -> None:
        fake.pulls.clear()
        with pytest.raises(DeliveryError, match="pull request 7 is not there"):
            say(fake)

    def test_an_api_that_answers_html(self, fake: FakeGitHub) -> None:
        fake.fail("GET", "/pulls/7", Reply(200, "<html>Log in</html>"))
        with pytest.raises(DeliveryError, match="text/html, not with JSON"):
            say(fake)

    def test_an_api_that_is_not_there(self) -> None:
        with github_server() as gone:
            gone.pull()
        with pytest.raises(DeliveryError, match="cannot be reached"):
            say(gone)

    @pytest.mark.parametrize("value", [[], "x", 7, {"number": "x"}, {"number": 1, "state": "open"}])
    def test_an_api_that_speaks_otherwise(self, fake: FakeGitHub, value: object) -> None:
        body = value if not isinstance(value, str) else {"x": value}
        fake.fail("GET", "/pulls/7", Reply(200, body))
        with pytest.raises(DeliveryError, match="form that is not known"):
            say(fake)

    def test_tokens_do_not_travel_unencrypted(self) -> None:
        with pytest.raises(DeliveryError, match="not encrypted"):
            Http("http://ghe.example/api/v3")

    def test_redirects_keep_to_the_server(self, fake: FakeGitHub) -> None:
        fake.fail("GET", "/pulls/7", Reply(301, {}, {"Location": "https://evil.example/x"}))
        with pytest.raises(DeliveryError, match="another server"):
            say(fake)
        moved = Reply(301, {}, {"Location": f"/repos/{fake.repository}/pulls/7?moved"})
        fake.fail("GET", "/pulls/7", moved)
        assert say(fake).done is Done.CREATED


class TestPatience:
    def test_a_server_error_is_asked_again(self, fake: FakeGitHub) -> None:
        time = Time()
        fake.fail("GET", "/pulls/7", Reply(502), Reply(503, "", {"Retry-After": "7"}))
        assert say(fake, time=time).done is Done.CREATED
        assert time.slept == [1.0, 7.0]

    def test_a_server_that_stays_broken(self, fake: FakeGitHub) -> None:
        fake.fail("GET", "/pulls/7", *[Reply(500)] * 4)
        with pytest.raises(DeliveryError, match="out of order: it answers 500"):
            say(fake)

    @pytest.mark.parametrize("reply", [Reply(502, done=True), Reply(hangs_up=True, done=True)])
    def test_a_comment_that_was_made_all_the_same_is_not_made_twice(
        self, fake: FakeGitHub, reply: Reply
    ) -> None:
        fake.fail("POST", "/issues/7/comments", reply)
        assert say(fake).done is Done.LEFT
        assert len(fake.comments) == 1

    def test_a_comment_that_was_not_made_is_made(self, fake: FakeGitHub) -> None:
        fake.fail("POST", "/issues/7/comments", Reply(502), Reply(hangs_up=True))
        assert say(fake).done is Done.CREATED
        assert len(fake.comments) == 1

    def test_a_secondary_rate_limit_is_waited_for(self, fake: FakeGitHub) -> None:
        time = Time()
        limited = Reply(403, LIMITED, {"Retry-After": "20"})
        fake.fail("POST", "/issues/7/comments", limited, Reply(429, LIMITED))
        assert say(fake, time=time).done is Done.CREATED
        assert time.slept[0] == 20.0
        assert len(time.slept) == 2

    def test_a_rate_limit_with_a_time(self, fake: FakeGitHub) -> None:
        time = Time()
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.now) + 30)}
        message = {"message": "API rate limit exceeded"}
        fake.fail("GET", "/pulls/7", Reply(403, message, headers))
        assert say(fake, time=time).done is Done.CREATED
        assert time.slept == [30.0]

    def test_nobody_waits_for_an_hour(self, fake: FakeGitHub) -> None:
        time = Time()
        fake.fail("GET", "/pulls/7", Reply(403, LIMITED, {"Retry-After": "3600"}))
        with pytest.raises(DeliveryError, match="asks to wait 3600 s") as error:
            say(fake, time=time)
        assert error.value.hint
        assert time.slept == []

    def test_a_refusal_is_not_asked_again(self, fake: FakeGitHub) -> None:
        time = Time()
        fake.fail("POST", "/issues/7/comments", Reply(403, {"message": "Resource not accessible"}))
        with pytest.raises(ForbiddenError):
            say(fake, time=time)
        assert time.slept == []

    def test_a_comment_that_is_deleted_meanwhile_is_made_again(self, fake: FakeGitHub) -> None:
        say(fake, "one\n", run=1)

        def between(method: str, path: str) -> None:
            if path == "/graphql":
                fake.after = None
                fake.comments.clear()

        fake.after = between
        assert say(fake, "two\n", run=2).done is Done.CREATED
        [comment] = fake.comments
        assert comment["body"].endswith("two\n")


class TestLength:
    def test_a_body_of_300_kb_is_cut_between_its_blocks(self, fake: FakeGitHub) -> None:
        blocks = [f"## part {n}\n\n```text\n{'x' * 2000}\n```\n" for n in range(150)]
        assert say(fake, "\n".join(blocks)).done is Done.CREATED
        body = fake.comments[0]["body"]
        assert 60_000 < len(body.encode()) < 65_536
        assert body.count("```") % 2 == 0
        assert "not all" in body.splitlines()[-1]

    def test_a_server_with_another_limit_gets_less(self, fake: FakeGitHub) -> None:
        fake.max_body = 5_000
        blocks = "\n\n".join(f"part {n} " + "é" * 400 for n in range(40))
        assert say(fake, blocks).done is Done.CREATED
        assert len(fake.comments[0]["body"]) <= 5_000
        assert "not all" in fake.comments[0]["body"]

    def test_a_server_that_takes_nothing(self, fake: FakeGitHub) -> None:
        fake.max_body = 10
        with pytest.raises(TooLongError, match="too long"):
            say(fake, "x " * 1000)

    def test_one_block_that_is_too_long_leaves_the_way_to_the_rest(self, fake: FakeGitHub) -> None:
        say(fake, "x" * 300_000)
        assert fake.comments[0]["body"].splitlines()[1].startswith("*This is not all")
