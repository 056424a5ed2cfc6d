"""The source of the wrappers: one short function for each kind of handler.

A wrapper is written with the handler's own parameters and compiled, as dataclasses and attrs write
methods: it costs what a wrapper written by hand costs, and whatever introspection asks of the
function itself is answered right. Handlers with the same parameters share one compiled wrapper.

What varies is decided here, so that nothing is asked while a handler runs: where `next` comes
from, and whether the call has a decision of its own (a `Call`: where the handler is handed `next`,
or its response is watched).
"""

from __future__ import annotations

import functools
import linecache
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from catchasync._kinds import Kind

FILE: Final = "<catchasync: "
"""How the file names of wrappers begin: that is how one is told."""

USED: Final = frozenset(
    {
        "_handler", "_catch", "_mark", "_next", "_delivery", "_failed", "_clock", "_plain",
        "_usual", "_watch", "_call_type", "_running_loop", "_home", "_references", "_UNHELD",
        "_no_next", "_place",
        "_watch_response", "_response_place", "_result", "_error", "_since", "_call", "_stream",
        "_item", "_sent", "_thrown", "type", "callable", "anext", "BaseException", "GeneratorExit",
        "StopAsyncIteration",
    }
)  # fmt: skip
"""Every name that a wrapper uses: a handler's parameter of such a name would hide it."""

# Each is named for what it does: a traceback shows that name. `_failed` may raise.

SYNC: Final = """
def catch_failure({parameters}):
    {prepare}
    try:
        _result = _handler({arguments})
    except _catch as _error:
        try:
            return _failed(_error, {since}, {next}{call})
        finally:
            del {names}
    {conclude}
"""

SYNC_CONCLUDE: Final = """
    if type(_result) is _usual or type(_result) in _plain:
        return _result
    return _watch(_result, {next}, {since})
"""

SYNC_CALL_CONCLUDE: Final = """
    if not (type(_result) is _usual or type(_result) in _plain):
        return _watch(_result, {next}, {since}{call})
    _call.over = True
    if _call.open and (_result is None or _call.take()):
        return _result
    return _call.concluded(_result)
"""

COROUTINE: Final = """
async def catch_failure({parameters}):
    {prepare}
    try:
        {result} await _handler({arguments})
    except _catch as _error:
        try:
            return await _failed(_error, {since}, {next}{call})
        finally:
            del {names}
    {left}
    {conclude}
"""

COROUTINE_CALL_CONCLUDE: Final = """
    if _result is None and _references(_call) > _UNHELD:
        _call.home = _running_loop() or _home()
    _call.over = True
    if _call.open and (_result is None or _call.take()):
        return _result
    return await _call.concluded_async(_result)
"""

GENERATOR: Final = """
def catch_failure({parameters}):
    {prepare}
    try:
        {result} (yield from _handler({arguments}))
    except _catch as _error:
        try:
            _failed(_error, {since}, {next}{call})
            _mark(_error, None)
            raise
        finally:
            del {names}
    {conclude}
"""

GENERATOR_CALL_CONCLUDE: Final = """
    _call.over = True
    return _result if _call.open else _call.concluded(_result)
"""

ASYNC_GENERATOR: Final = """
async def catch_failure({parameters}):
    {prepare}
    _stream = _handler({arguments})
    try:
        _item = await anext(_stream)
        while True:
            try:
                _sent = yield _item
            except GeneratorExit:
                await _stream.aclose()
                raise
            except BaseException as _thrown:
                _item = await _stream.athrow(_thrown)
            else:
                _item = await _stream.asend(_sent)
    except StopAsyncIteration:
        pass
    except _catch as _error:
        try:
            await _failed(_error, {since}, {next}{call})
            _mark(_error, None)
            raise
        finally:
            _stream = _item = _sent = None
            del {names}
    {left}
    {conclude}
"""

ASYNC_GENERATOR_CALL_CONCLUDE: Final = """
    if _references(_call) > _UNHELD:
        _call.home = _running_loop() or _home()
    _call.over = True
    if not _call.open:
        await _call.concluded_async(None)
"""

LEFT: Final = """
    except BaseException:
        _call.left()
        raise
"""

BODIES: Final[dict[Kind, tuple[str, str, str]]] = {
    "sync": (SYNC, SYNC_CONCLUDE, SYNC_CALL_CONCLUDE),
    "coroutine": (COROUTINE, "", COROUTINE_CALL_CONCLUDE),
    "generator": (GENERATOR, "", GENERATOR_CALL_CONCLUDE),
    "async_generator": (ASYNC_GENERATOR, "", ASYNC_GENERATOR_CALL_CONCLUDE),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides the source of a wrapper.

    Args:
        kind: The kind of the handler.
        parameters: Its parameter list as source, defaults standing as ``None``.
        arguments: How they are passed on, as source.
        names: The parameters' names.
        source: Where `next` comes from: ``"fixed"``, ``"own"`` parameter, ``"extra"`` argument.
        next: The variable that holds `next`.
        response: The variable that holds the response to be watched, if any.
        exact: Whether the parameters are the handler's own, rather than ``*args, **kwargs``.
    """

    kind: Kind
    parameters: str
    arguments: str
    names: tuple[str, ...]
    source: str = "fixed"
    next: str = "_next"
    response: str | None = None
    exact: bool = True

    @property
    def has_call(self) -> bool:
        """Whether something besides the handler's outcome can take the decision."""
        return self.source == "own" or self.response is not None


def make(shape: Shape, values: dict[str, Any]) -> FunctionType:
    """Make the wrapper of one handler.

    Args:
        shape: What its source depends on.
        values: What its free names stand for.

    Returns:
        A function with a code object of its own: the interpreter specialises a call for the one
        function that it meets there, and wrappers that shared their code would spoil that.
    """
    namespace = {"__name__": "catchasync._wrappers", "__builtins__": __builtins__} | values
    return FunctionType(_code(shape).replace(), namespace)


@functools.cache
def _code(shape: Shape) -> CodeType:
    text = _source(shape) + "\n"
    file = f"{FILE}{shape.kind} of ({shape.parameters}), next {shape.source}"
    file += f", response {shape.response}>" if shape.response else ">"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {}
    exec(compile(text, file, "exec"), namespace)  # noqa: S102 - the text is ours, made of names
    code: CodeType = namespace["catch_failure"].__code__
    return code


def _source(shape: Shape) -> str:
    body, conclude, call_conclude = BODIES[shape.kind]
    text = body.replace("{conclude}", (call_conclude if shape.has_call else conclude).strip())
    return text.strip().format(
        parameters=shape.parameters,
        arguments=shape.arguments,
        prepare="\n    ".join(_prepare(shape)),
        since="_call.since" if shape.has_call else "_since",
        next="_call.next" if shape.has_call else shape.next,
        call=", _call" if shape.has_call else "",
        names=", ".join((*shape.names, *(["_call"] * shape.has_call))) or "_error",
        result="_result =" if shape.has_call else "return",
        left=LEFT.strip() if shape.has_call else "",
    )


def _prepare(shape: Shape) -> list[str]:
    lines = _find_next(shape)
    if not shape.has_call:
        return [*lines, "_since = _clock.now"]
    lines += [
        "_call = _call_type()",
        "_call.delivery = _delivery",
        f"_call.next = {shape.next}",
        "_call.open = [True]",
        "_call.since = _clock.now",
        "_call.over = False",
    ]
    return lines + _hand_over_call(shape) + _hand_over_response(shape)


def _find_next(shape: Shape) -> list[str]:
    if shape.source == "fixed":
        return []
    find = []
    if not shape.exact:
        find = [f"{shape.next}, args, kwargs = _place.take(args, kwargs)"]
    return [*find, f"if not callable({shape.next}):", f"    _no_next({shape.next})"]


def _hand_over_call(shape: Shape) -> list[str]:
    if shape.source != "own":
        return []
    return [
        f"{shape.next} = _call" if shape.exact else "args, kwargs = _place.put(args, kwargs, _call)"
    ]


def _hand_over_response(shape: Shape) -> list[str]:
    if shape.response is None:
        return []
    if shape.exact:
        return [f"{shape.response} = _watch_response({shape.response}, _call)"]
    return ["args, kwargs = _response_place.swap(args, kwargs, _watch_response, _call)"]
