"""Whether a response has begun: no, yes, or unknown.

The handler is handed a proxy that watches the methods which send; the real object is never
patched. A flag of the real object's own is believed above all. Without one: a method that sends
and returns has sent; one that raises has not (a body that cannot be serialised), unless it failed
while it wrote (`OSError`) or was cancelled, which leaves "unknown"; a method that is still at it is
unknown as well.
"""

from __future__ import annotations

import asyncio
import enum
import functools
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import MethodType
from typing import Any, Final

from catchasync._delivery import Call
from catchasync._failures import is_never_caught
from catchasync._proxies import ReadThrough

SENDING: Final = (
    "json", "send", "end", "write", "write_eof", "flush", "finish", "redirect", "render",
    "send_file", "send_json", "send_status", "send_text",
)  # fmt: skip
FLAGS: Final = ("headers_sent", "prepared", "responded", "committed")


class Sent(enum.Enum):
    """Whether a response has begun; true unless it surely has not: then nothing may be written."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        """Return whether something may have gone out."""
        return self is not Sent.NO


@dataclass(frozen=True, slots=True)
class ResponseTracker:
    """
    How to watch a handler's response.

    Args:
        argument: The name of the handler's parameter that holds the response. Default: the first
            of ``res``, ``response``, ``resp`` that it has.
        methods: The names of the methods that send.
        flag: The attribute of the real object that says whether the response has begun. Default:
            the first of ``headers_sent``, ``prepared``, ``responded``, ``committed`` that it has.

    Raises:
        TypeError: A name is no string.
    """

    argument: str | None = None
    methods: tuple[str, ...] = SENDING
    flag: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no name."""
        if isinstance(self.methods, str):
            msg = f"ResponseTracker(methods=...) takes several names: got {self.methods!r}."
            raise TypeError(msg)
        object.__setattr__(self, "methods", tuple(self.methods))
        for name in (self.argument, self.flag, *self.methods):
            if not (name is None or isinstance(name, str)):
                msg = f"ResponseTracker() takes names, as strings: got {name!r}."
                raise TypeError(msg)


def as_tracker(track_response: object) -> ResponseTracker:
    """Return what ``track_response=`` asks for."""
    if isinstance(track_response, ResponseTracker):
        return track_response
    if track_response is True:
        return ResponseTracker()
    msg = f"track_response=... takes True, False or a ResponseTracker: got {track_response!r}."
    raise TypeError(msg)


def watch(tracker: ResponseTracker, response: Any, call: Call) -> Any:
    """Return the proxy that a handler is handed in place of its response."""
    if response is None:
        return None
    if type(response) is not WatchedResponse:  # one that another decorator watches serves both
        response = WatchedResponse(response, Watch(response, tracker))
    call.response = WatchedResponse.watch_of(response)
    return response


class Watch:
    """What is known of one response."""

    __slots__ = ("_flag", "_response", "state", "tracker")

    def __init__(self, response: Any, tracker: ResponseTracker) -> None:
        self.tracker = tracker
        self._response = response
        self.state = Sent.NO
        flags = (tracker.flag,) if tracker.flag else FLAGS
        self._flag = next((flag for flag in flags if hasattr(response, flag)), None)

    @property
    def sent(self) -> Sent:
        """Whether the response has begun."""
        if self._flag is None:
            return self.state
        try:
            return Sent.YES if getattr(self._response, self._flag) else Sent.NO
        except Exception:  # noqa: BLE001 - a flag that cannot be read says nothing
            return Sent.UNKNOWN

    @property
    def begun(self) -> bool:
        """Whether something may have gone out."""
        return bool(self.sent)

    def begin(self) -> Sent:
        """Note that a method has started to send; return what was known before."""
        before = self.state
        if before is Sent.NO:
            self.state = Sent.UNKNOWN
        return before

    def failed(self, error: BaseException, before: Sent) -> None:
        """Note that a method which sends has failed."""
        if not (isinstance(error, OSError) or is_never_caught(error)):
            self.state = before


class WatchedResponse(ReadThrough):  # type: ignore[type-arg]
    """The response that a handler is handed: the real one, its sending methods watched."""

    def __init__(self, response: Any, watch: Watch) -> None:
        super().__init__(response)
        self._self_watch = watch

    @staticmethod
    def watch_of(proxy: WatchedResponse) -> Watch:
        """Return what is known; static, so that the real object's attributes are all there."""
        watch: Watch = proxy._self_watch
        return watch

    @property
    def sent(self) -> Sent:
        """Whether the response has begun: `Sent.NO`, `Sent.YES` or `Sent.UNKNOWN`."""
        return self._self_watch.sent

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        if not callable(value):
            return value
        if name in self._self_watch.tracker.methods:
            return _sending(self, value)
        is_method = isinstance(value, MethodType) and value.__self__ is self.__wrapped__
        return _chaining(self, value) if is_method else value


def _chaining(proxy: WatchedResponse, method: Callable[..., Any]) -> Callable[..., Any]:
    """Keep watching where a method returns the response itself: ``res.status(404).json(...)``."""

    @functools.wraps(method)
    def call_method(*args: Any, **kwargs: Any) -> Any:
        result = method(*args, **kwargs)
        return proxy if result is proxy.__wrapped__ else result

    return call_method


def _sending(proxy: WatchedResponse, method: Callable[..., Any]) -> Callable[..., Any]:
    watch = WatchedResponse.watch_of(proxy)

    @functools.wraps(method)
    async def send_async(*args: Any, **kwargs: Any) -> Any:
        return await _await_sending(proxy, method(*args, **kwargs))

    @functools.wraps(method)
    def send(*args: Any, **kwargs: Any) -> Any:
        before = watch.begin()
        try:
            result = method(*args, **kwargs)
        except BaseException as error:
            watch.failed(error, before)
            raise
        return _sent(proxy, result, before)

    return send_async if inspect.iscoroutinefunction(method) else send


def _sent(proxy: WatchedResponse, result: Any, before: Sent) -> Any:
    """Return what a sending method returned, which may be still at it."""
    watch = WatchedResponse.watch_of(proxy)
    if inspect.iscoroutine(result):
        watch.state = before  # it has not begun
        return _await_sending(proxy, result)
    if asyncio.isfuture(result):
        result.add_done_callback(functools.partial(_settled, watch, before))
        return result
    watch.state = Sent.YES
    return proxy if result is proxy.__wrapped__ else result


def _settled(watch: Watch, before: Sent, future: asyncio.Future[Any]) -> None:
    error = asyncio.CancelledError() if future.cancelled() else future.exception()
    if error is None:
        watch.state = Sent.YES
    else:
        watch.failed(error, before)


async def _await_sending(proxy: WatchedResponse, sending: Awaitable[Any]) -> Any:
    watch = WatchedResponse.watch_of(proxy)
    before = watch.begin()
    try:
        result = await sending
    except BaseException as error:
        watch.failed(error, before)
        raise
    watch.state = Sent.YES
    return proxy if result is proxy.__wrapped__ else result
