"""Controllers: objects whose methods are handlers, looked up when they are called."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, Unpack, overload

from catchasync import _kinds
from catchasync._likeness import Entry, call_of, like
from catchasync._options import Options, options_for
from catchasync._proxies import Decorate
from catchasync._standins import StandIn, is_settled, stand_in
from catchasync.types import NextAndCatchOptions

ControllerT = TypeVar("ControllerT")


@overload
def wrap_controller(
    controller: ControllerT, /, **catch_options: Unpack[NextAndCatchOptions]
) -> ControllerT: ...
@overload
def wrap_controller(
    controller: object, method: str, /, **catch_options: Unpack[NextAndCatchOptions]
) -> Callable[..., Any]: ...
def wrap_controller(
    controller: Any, method: str | None = None, /, **catch_options: Unpack[NextAndCatchOptions]
) -> Any:
    """
    Wrap one method of a controller, or all of them.

    A method is looked up at each call, so one that is replaced later is the one that runs.

    Args:
        controller: An object whose methods are handlers.
        method: The name of one of them. Without it: every public method.
        catch_options: The options of `catch_async`, `next` among them.

    Returns:
        A stand-in for the bound method; or a proxy that is the controller in all but its public
        methods.

    Raises:
        AttributeError: The controller has no such method.
        TypeError: What has that name is no callable, or the controller has no public method.
    """
    options = options_for("wrap_controller", **catch_options)
    if method is not None:
        _check_method(controller, method)
        return method_stand_in(options, method, controller)
    if not any(_is_public(name) and _is_method(controller, name) for name in dir(controller)):
        msg = f"wrap_controller() takes an object with public methods: got {controller!r}."
        raise TypeError(msg)
    return controller_proxy(options, _is_public, controller)


def _check_method(controller: Any, name: str) -> None:
    described = f"wrap_controller({_kinds.name_of(controller)}, {name!r})"
    if not isinstance(name, str):
        msg = f"{described} takes the name of a method: got {name!r}."
        raise TypeError(msg)
    try:
        method = getattr(controller, name)
    except AttributeError as error:
        msg = f"{described}: {_kinds.name_of(controller)} has no method {name!r}."
        raise AttributeError(msg, name=name, obj=controller) from error
    if not callable(method):
        msg = f"{described}: {name!r} is no method, got {method!r}."
        raise TypeError(msg)


def _is_public(name: str) -> bool:
    return not name.startswith("_")


def _is_method(controller: Any, name: str, default: Any = None) -> bool:
    found = inspect.getattr_static(controller, name, default)
    return inspect.isroutine(found) or isinstance(found, classmethod | staticmethod)


def method_stand_in(options: Options, name: str, controller: Any) -> Any:
    """Make the stand-in for a controller's method, which is looked up at each call."""
    method = getattr(controller, name)
    return like(LateStandIn, method)(method, options, (controller, name))


class LateCall(Entry):
    """``__call__`` of such a stand-in: the present method, decorated."""

    def __get__(self, proxy: Any, owner: Any) -> Any:
        return super().__get__(None, owner) if proxy is None else proxy._self_present()  # noqa: SLF001


class LateStandIn(StandIn):
    """The stand-in for a method that is looked up at each call."""

    __slots__ = ()

    __call__ = LateCall("__call__")

    def __init__(self, method: Any, options: Options, call: tuple[Any, str]) -> None:
        super().__init__(method, options, call)
        self._self_last = (None, None)  # the method last found, and it decorated

    def _self_present(self) -> Any:
        method = getattr(*self._self_call)
        found, decorated = self._self_last
        if _kinds.identity_of(found) != _kinds.identity_of(method):
            decorated = method
            if not is_settled(method):
                decorated = stand_in(self._self_options, method).__call__
            self._self_last = method, decorated
        return decorated

    @property
    def __func__(self) -> Any:
        function = self.__wrapped__.__func__
        return function if is_settled(function) else stand_in(self._self_options, function)

    def _self_again(self) -> Decorate:
        return functools.partial(method_stand_in, self._self_options, self._self_call[1])

    def __reduce_ex__(self, protocol: object) -> Any:
        return self._self_again(), (self._self_call[0],)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self._self_again()(copy.deepcopy(self._self_call[0], memo))


def controller_proxy(options: Options, select: Callable[[str], bool], controller: Any) -> Any:
    """Make the proxy of an object whose methods of some names are wrapped."""
    return like(ControllerProxy, controller)(controller, options, select)


class ControllerProxy(StandIn):
    """An object in all but some of its methods; they are wrapped when they are looked up."""

    __slots__ = ()

    def __init__(self, controller: Any, options: Options, select: Callable[[str], bool]) -> None:
        super().__init__(controller, options, call_of(controller))
        self._self_select = select
        self._self_methods: dict[str, Any] = {}

    def _self_again(self) -> Decorate:
        return functools.partial(controller_proxy, self._self_options, self._self_select)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.__wrapped__, name)
        is_ours = self._self_select(name) and _is_method(self.__wrapped__, name, found)
        return self._self_method(name, found) if is_ours else found

    def _self_method(self, name: str, found: Any) -> Any:
        known = self._self_methods.get(name)
        if known is None or _kinds.identity_of(known.__wrapped__) != _kinds.identity_of(found):
            known = method_stand_in(self._self_options, name, self.__wrapped__)
            self._self_methods[name] = known
        return known
