"""`promisify_all`: design.md section 4, rule 10."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

import pytest

from catchasync import CallbackError, promisify, promisify_all
from catchasync.conventions import result_first
from tests.backends import BACKENDS, run_on, soon

Run = Callable[..., Any]
Callback = Callable[..., Any]


@pytest.fixture(params=BACKENDS)
def run(request: pytest.FixtureRequest) -> Run:
    """Run an async function on each event loop."""
    return functools.partial(run_on, request.param)


class Client:
    """A library's object."""

    kind = "client"

    def __init__(self, name: str = "client") -> None:
        self.name = name
        self.on_ready = lambda callback: soon(callback, None, "ready")

    def read(self, key: str, callback: Callback) -> None:
        """Read a key."""
        soon(callback, None, self, key)

    def close(self) -> None:
        """Take no callback."""

    async def ready(self) -> None:
        """Be async already."""

    async def stream(self) -> Any:
        """Be async already."""
        yield

    @property
    def broken(self) -> Any:
        """Tell whether it was looked at."""
        raise AssertionError("a property was triggered")

    @functools.cached_property
    def costly(self) -> Any:
        """Tell whether it was looked at."""
        raise AssertionError("a property was triggered")

    @classmethod
    def open(cls, callback: Callback) -> None:
        """Open."""
        soon(callback, None, cls)

    @staticmethod
    def ping(callback: Callback) -> None:
        """Ping."""
        soon(callback, None, "pong")

    def _secret(self, callback: Callback) -> None:
        """Be private."""

    both = functools.partialmethod(read, "both")
    Error = ValueError


ASYNC_NAMES = [
    "both_async",
    "close_async",
    "on_ready_async",
    "open_async",
    "ping_async",
    "read_async",
]


def async_names(proxy: object) -> list[str]:
    """Return the names that a proxy has more than its target."""
    return [name for name in dir(proxy) if name.endswith("_async")]


def test_each_public_callable_has_an_async_twin(run: Run) -> None:
    """Methods of every binding, and functions on the instance."""
    client = Client()
    proxy = promisify_all(client)
    assert run(proxy.read_async, "k") == (client, "k")
    assert run(proxy.both_async) == (client, "both")
    assert run(proxy.open_async) is Client
    assert run(proxy.ping_async) == "pong"
    assert run(proxy.on_ready_async) == "ready"
    assert str(inspect.signature(proxy.read_async)) == "(key: 'str')"


def test_what_is_left_out() -> None:
    """Underscored and async names, classes, properties and plain values have no twin."""
    proxy = promisify_all(Client())
    assert async_names(proxy) == ASYNC_NAMES
    for name in (
        "_secret",
        "ready",
        "stream",
        "broken",
        "costly",
        "Error",
        "kind",
        "name",
        "nothing",
    ):
        assert not hasattr(proxy, f"{name}_async")
    with pytest.raises(AttributeError, match="ready_async"):
        _ = proxy.ready_async


def test_a_function_that_takes_no_callback_says_so() -> None:
    """The error names the method and the reason."""
    with pytest.raises(AttributeError, match=r"a Client has no 'close_async': .*no positional"):
        _ = promisify_all(Client()).close_async


def test_the_target_stays_untouched() -> None:
    """Neither the object nor its class is written to; writes to the proxy reach the target."""
    client = Client()
    before = dict(vars(client)), dict(vars(Client))
    proxy = promisify_all(client)
    _ = proxy.read_async
    assert before == (dict(vars(client)), dict(vars(Client)))
    proxy.name = "other"
    assert client.name == "other"


def test_it_reads_through(run: Run) -> None:
    """A method that is replaced or added later is the one that runs."""
    client = Client()
    proxy = promisify_all(client)
    assert proxy.read_async is proxy.read_async
    client.read = lambda key, callback: soon(callback, None, "new", key)  # type: ignore[method-assign]
    assert run(proxy.read_async, "k") == ("new", "k")
    client.later = lambda callback: soon(callback, None, "later")  # type: ignore[attr-defined]
    assert run(proxy.later_async) == "later"
    assert proxy.name == "client"
    assert proxy.kind == "client"


def test_it_passes_isinstance_and_equality() -> None:
    """The proxy is taken for its target."""
    client = Client()
    proxy = promisify_all(client)
    assert isinstance(proxy, Client)
    assert proxy == client


def test_a_collision_is_refused_before_anything_is_made() -> None:
    """`x` beside a foreign ``x_async``: the error names both and the remedies."""

    class Both:
        def read(self, callback: Callback) -> None:
            """Call back."""

        async def read_async(self) -> None:
            """Be foreign."""

    message = "a Both has 'read' and also 'read_async'.*suffix=.*select="
    with pytest.raises(ValueError, match=message):
        promisify_all(Both())
    with pytest.raises(ValueError, match="Both has 'read'"):
        promisify_all(Both)
    assert hasattr(promisify_all(Both(), suffix="_later"), "read_later")
    assert not hasattr(promisify_all(Both(), select=lambda name, _: name != "read"), "x_async")


def test_a_twin_of_our_own_is_no_collision(run: Run) -> None:
    """What `promisify` made in a class body is what it would be."""

    class Own(Client):
        read_async = promisify(Client.read)

    own = Own()
    assert run(promisify_all(own).read_async, "k") == (own, "k")
    twice = promisify_all(promisify_all(own))
    assert run(twice.read_async, "k") == (own, "k")


def test_select_and_suffix_and_options(run: Run) -> None:
    """`select(name, function)` decides; options are those of `promisify`."""
    seen: dict[str, Any] = {}

    def select(name: str, function: Any) -> bool:
        seen[name] = function
        return name == "fails"

    class Library:
        def fails(self, callback: Callback) -> None:
            callback(None, 5)

        @staticmethod
        def other(callback: Callback) -> None:
            """Be left out."""

    proxy = promisify_all(
        Library(), suffix="_p", select=select, convention=result_first, error=OSError
    )
    with pytest.raises(OSError, match="5"):
        run(proxy.fails_p)
    assert not hasattr(proxy, "other_p")
    assert seen == {"fails": Library.fails, "other": Library.other}


def test_a_module(run: Run) -> None:
    """Its functions have twins, its classes do not."""
    module = types.ModuleType("library")
    module.read = lambda callback: soon(callback, "boom")  # type: ignore[attr-defined]
    module.Error = ValueError  # type: ignore[attr-defined]
    proxy = promisify_all(module)
    with pytest.raises(CallbackError, match="boom"):
        run(proxy.read_async)
    assert async_names(proxy) == ["read_async"]
    module.read_async = 1  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="library has 'read'"):
        promisify_all(module)


def test_a_class_makes_proxies(run: Run) -> None:
    """Its functions take the instance; its instances have their twins."""
    proxy = promisify_all(Client)
    client: Any = proxy("made")
    assert run(client.read_async, "k") == (client, "k")
    assert run(proxy.read_async, client, "k") == (client, "k")
    assert run(proxy.open_async) is Client
    assert [True, True] == [isinstance(client, Client), isinstance(client, proxy)]


def test_a_callable_object_is_called(run: Run) -> None:
    """What a call of the target gives is given as it is."""

    class Factory:
        def __call__(self) -> str:
            return "made"

        def read(self, callback: Callback) -> None:
            soon(callback, None, 1)

    proxy = promisify_all(Factory())
    assert proxy() == "made"
    assert run(proxy.read_async) == 1


def test_a_class_whose_call_gives_something_else() -> None:
    """It is given as it is."""

    class Odd:
        def __new__(cls) -> Any:
            return "odd"

    assert type(promisify_all(Odd)()) is str


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"suffix": ""}, ValueError, "`suffix` takes .*: got ''"),
        ({"suffix": "-async"}, ValueError, "got '-async'"),
        ({"select": 5}, TypeError, "`select` takes .*: got 5"),
        ({"timeout": 0}, ValueError, "above 0"),
        ({"convention": 5}, TypeError, "`convention`"),
        ({"unknown": 5}, TypeError, "unknown"),
    ],
)
def test_bad_input_is_refused_at_once(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Not at the first use."""
    with pytest.raises(error, match=message):
        promisify_all(Client(), **options)
