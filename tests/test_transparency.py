"""What the `transparency` sessions are made of: wrapping, record, comparison, page."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support import Boom
from tests.transparency.__main__ import again
from tests.transparency.plugin.handler_wrapping.outcomes import Record
from tests.transparency.plugin.handler_wrapping.points import POINTS
from tests.transparency.plugin.handler_wrapping.wrap import (
    Wrapping,
    patch_argument,
    patch_values,
    raise_again,
)
from tests.transparency.runs import ABSENT, Difference, Run, Runner, differences
from tests.transparency.suites import Suite, suites
from tests.transparency.table import put_left_out, put_row

SHOP = """
import pytest
from flask import Flask

app = Flask("shop", static_folder=None)

@app.route("/")
def index():
    return str(1 / 0)

def test_fails():
    assert 200 == app.test_client().get("/").status_code

def test_passes():
    assert 500 == app.test_client().get("/").status_code

def test_is_skipped():
    pytest.skip()

@pytest.mark.xfail
def test_is_expected_to_fail():
    raise AssertionError

def test_is_left_out():
    raise AssertionError
"""


@pytest.fixture
def record() -> Record:
    """Return one that leaves out a class, a folder and a test."""
    return Record(["a/test_b.py::C", "a/d", "t.py::one"])


def test_every_suite_has_a_point() -> None:
    """Every framework in suites.toml can be wrapped, and none is missing."""
    assert sorted(POINTS) == sorted(suites())


def test_next_raises_the_very_error() -> None:
    """The `next` of wrapped handlers changes nothing."""
    error = Boom()
    with pytest.raises(Boom) as caught:
        raise_again(error)
    assert error is caught.value


def test_wrapping_counts() -> None:
    """A handler counts once, however often it passes; a view class counts by method."""

    class View:
        def get(self) -> None: ...
        def post(self) -> None: ...
        def other(self) -> None: ...

    def handler(request: object) -> object:
        return request

    wrapping = Wrapping()
    wrapped = wrapping(handler)
    assert wrapped is wrapping(wrapped)
    assert 1 == wrapping.count
    assert View is wrapping(wrapping(View))
    assert 3 == wrapping.count


def test_an_argument_is_wrapped_however_it_is_passed() -> None:
    """By position or by name; one that is not there or None stays so, and wrong calls fail."""

    class Router:
        def add(self, path: str, handler: object = None, **options: object) -> object:
            return path, handler, options

    patch_argument(Router, "add", "handler", lambda handler: [handler])
    router = Router()
    assert ("/", [1], {"a": 2}) == router.add("/", 1, a=2)
    assert ("/", [1], {}) == router.add(handler=1, path="/")
    assert ("/", None, {}) == router.add("/")
    assert ("/", None, {}) == router.add("/", None)
    with pytest.raises(TypeError, match=r"Router\.add\(\) missing 1 required"):
        router.add()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def test_returned_values_are_wrapped() -> None:
    """A method that returns a mapping of handlers returns one of wrapped ones."""

    class Router:
        def methods(self) -> dict[str, int]:
            return {"GET": 1}

    patch_values(Router, "methods", lambda handler: -handler)
    assert {"GET": -1} == Router().methods()


def test_a_failure_in_any_part_is_the_outcome(record: Record) -> None:
    """A test whose teardown fails has failed; addresses in names do not count."""
    record.add("t.py::test[<f at 0x7f01>]", "passed")
    record.add("t.py::test[<f at 0x7f01>]", "failed")
    record.add("t.py::test[<f at 0x7f02>]", "passed")
    assert {"t.py::test[<f at 0x>]": "failed"} == record.outcomes


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("a/test_b.py::C::test_x[1]", True),
        ("a/d/test_y.py::test_z", True),
        ("t.py::one[a-b]", True),
        ("t.py::one_more", False),
        ("a/test_b.py::D::test_x", False),
    ],
)
def test_left_out_by_exact_names(record: Record, test: str, expected: object) -> None:
    """A name stands for a test with all its parameters, a class, a file or a folder."""
    assert expected == record.is_left_out(test)


def test_differences() -> None:
    """Whatever came out otherwise is told, also what was run once only."""
    plain = Run({"same": "passed", "other": "passed", "gone": "failed"}, 0)
    wrapped = Run({"same": "passed", "other": "failed", "new": "skipped"}, 3)
    assert [
        Difference("gone", "failed", "not run"),
        Difference("new", "not run", "skipped"),
        Difference("other", "passed", "failed"),
    ] == differences(plain, wrapped)
    assert "1 / 1 / 1" == wrapped.counts


def test_differences_that_do_not_last() -> None:
    """What agrees when it is run alone is chance; a test that was not run is not run alone."""
    asked: list[object] = []

    class Alone(Runner):
        def run(self, *, on: bool, only: Iterable[str] = ()) -> Run:
            asked.append(only)
            return Run({"a": "passed", "b": "failed" if on else "passed"}, 0)

    suite = Suite("flask", "flask", [])
    missing = Difference("c", "passed", ABSENT)
    found = [missing, *(Difference(test, "passed", "failed") for test in "ab")]
    lasting = again(Alone(suite, Path(), Path()), found)
    assert [missing, Difference("b", "passed", "failed")] == lasting
    assert [missing] == again(Alone(suite, Path(), Path()), [missing])
    assert [["a", "b"], ["a", "b"]] == asked


def test_a_row_replaces_its_own() -> None:
    """The rows of the table stay in order, one a framework."""
    page = "# T\n\n| framework | n |\n| --- | --- |\n| b | 1 |\n\nend\n"
    page = put_row(put_row(page, "b", ["2"]), "a", ["3"])
    assert "# T\n\n| framework | n |\n| --- | --- |\n| a | 3 |\n| b | 2 |\n\nend\n" == page


def test_what_is_left_out_is_told_with_its_reason() -> None:
    """Each framework's list stands once under the last heading; without one, nothing does."""
    page = "# T\n\n## Left out\n"
    suite = Suite("b", "b", ["tests"], left_out={"t.py::x": "slow"})
    told = put_left_out(put_left_out(page, suite), suite)
    assert "# T\n\n## Left out\n\n### b\n\n- `t.py::x`: slow\n" == told
    assert page == put_left_out(told, Suite("b", "b", ["tests"]))


def test_a_suite_is_run_twice(tmp_path: Path) -> None:
    """The outcomes of a run are told by test; only with the wrapping on, handlers are wrapped."""
    pytest.importorskip("flask")
    (tmp_path / "test_shop.py").write_text(SHOP)
    left_out = {"test_shop.py::test_is_left_out": "why not"}
    suite = Suite("flask", "flask", ["test_shop.py"], left_out=left_out)
    runner = Runner(suite, tmp_path, tmp_path)
    plain, wrapped = runner.run(on=False), runner.run(on=True)
    assert {
        "test_shop.py::test_fails": "failed",
        "test_shop.py::test_is_expected_to_fail": "xfailed",
        "test_shop.py::test_is_skipped": "skipped",
        "test_shop.py::test_passes": "passed",
    } == plain.outcomes
    assert plain.outcomes == wrapped.outcomes
    assert (0, 1) == (plain.wrapped, wrapped.wrapped)
    only = runner.run(on=False, only=["test_shop.py::test_passes"])
    assert {"test_shop.py::test_passes": "passed"} == only.outcomes


def test_a_suite_that_cannot_run_says_where_to_look(tmp_path: Path) -> None:
    """A runner that wrote no record is no empty run, nor one like the last."""
    (tmp_path / "flask-plain.json").write_text('{"outcomes": {}, "wrapped": 1}')
    suite = Suite("flask", "flask", ["."], options=["--no-such-option"])
    with pytest.raises(SystemExit, match=r"flask-plain: the tests could not be run, see .*\.log"):
        Runner(suite, tmp_path, tmp_path).run(on=False)
