"""`Chain`: layers, each of which answers, or goes on to the next by its `next`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catchasync._delivery import Call, Delivery
from catchasync._driver import HOP, hop, run_rest
from catchasync._driver_here import refuse_async, run_here
from catchasync._layers import EVERY, Step, first_normal, flattened, is_error_layer, linked
from catchasync._runs import Run
from catchasync._turns import CALLED, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from catchasync.types import Late, Layers, Next


class Chain:
    """
    Call layers one after the other: handlers ``(req, res, next)``, of any kind.

    A layer answers by returning, or goes on: ``next()`` to the next layer, ``next(error)`` to the
    next error layer, ``next(SKIP_ROUTE)`` out of its group, ``next(SKIP_ROUTER)`` out of the
    chain. A layer that raises has called ``next(error)``. A chain is a layer, too.

    Args:
        layers: The first layers, as for `use`.
        track_response: ``True``, or a `ResponseTracker`, to watch ``res``: what fails after the
            response began is late, and a layer that neither sent it nor called `next` is reported
            to ``late`` as `HandlerIncomplete`.
        late: Called with each failure that comes after its layer's decision. Default: logged as an
            error on ``catchasync``.

    Raises:
        TypeError: What came is no layer, or an option is not what it has to be.
    """

    def __init__(
        self, *layers: Layers, track_response: bool | object = False, late: Late | None = None
    ) -> None:
        if not (late is None or callable(late)):
            msg = f"Chain(late=...) takes a callable of one argument, the error: got {late!r}."
            raise TypeError(msg)
        self._late = late
        self._tracker = tracker_of(track_response)
        self._steps: list[Step] = []
        self._groups = 0
        self._plan: tuple[Step, ...] | None = None  # made when it is called, and kept
        self._first = 0
        self._start = run_rest  # or `hop`, where the stack may get deep
        for layer in flattened(layers, "Chain"):
            self._add(layer, None)

    def use(self, *layers: Layers) -> Chain:
        """
        Add layers.

        Args:
            layers: Callables ``(req, res, next)``, ``(req, res)`` or shorter; a parameter named
                ``next`` is found wherever it stands. One with four required positional parameters
                is an error layer. Lists of them are flattened.

        Returns:
            The chain.

        Raises:
            TypeError: There is no layer, or what came is no callable.
        """
        for layer in self._checked(layers, "use"):
            self._add(layer, None)
        return self

    def use_error(self, layer: Layers, *types: type[BaseException]) -> Chain:
        """
        Add an error layer.

        Args:
            layer: A callable ``(error, req, res, next)`` or shorter, or a list of them.
            types: The exception types that it takes; none: all.

        Returns:
            The chain.

        Raises:
            TypeError: It is no callable, or what came as a type is no exception type.
        """
        for error_type in types:
            if not (is_error_type(error_type)):
                msg = f"Chain.use_error(layer, *types) takes exception types: got {error_type!r}."
                raise TypeError(msg)
        for each in self._checked((layer,), "use_error"):
            self._add(each, None, types or EVERY)
        return self

    def route(self, *layers: Layers) -> Chain:
        """
        Add a group of layers, which ``next(SKIP_ROUTE)`` leaves.

        Its error layers do not see an error from before the group.

        Args:
            layers: As for `use`.

        Returns:
            The chain.

        Raises:
            TypeError: As for `use`.
        """
        checked = self._checked(layers, "route")
        self._groups += 1
        for layer in checked:
            self._add(layer, self._groups)
        return self

    def _checked(self, layers: tuple[Any, ...], method: str) -> list[Any]:
        checked = list(flattened(layers, f"Chain.{method}"))
        if not checked:
            msg = f"Chain.{method}() takes at least one layer: got none."
            raise TypeError(msg)
        return checked

    def _add(
        self, layer: Any, group: int | None, types: tuple[type[BaseException], ...] | None = None
    ) -> None:
        if types is None and is_error_layer(layer):
            types = EVERY
        step = Step(layer, types, group)
        step.delivery = Delivery(step.name, late=self._late)
        step.rest = run_rest
        if isinstance(layer, Chain):
            self._nest(layer, step)
        if isinstance(layer, Chain) or len(self._steps) % HOP == HOP - 1:
            step.rest, self._start = hop, hop
        self._steps.append(step)
        self._plan = None

    def _nest(self, chain: Chain, step: Step) -> None:
        if step.types is not None:
            msg = f"{chain!r} cannot be an error layer: it is called without an error."
            raise TypeError(msg)
        if chain is self or self in chain.nested():
            msg = f"{chain!r} cannot be a layer of itself: it would never end."
            raise ValueError(msg)
        step.call_here = chain.run

    def nested(self) -> Iterator[Chain]:
        """Yield the chains among the layers, and among theirs."""
        for step in self._steps:
            if isinstance(step.layer, Chain):
                yield step.layer
                yield from step.layer.nested()

    async def __call__(self, req: Any, res: Any, next: Next | None = None) -> Any:
        """
        Run the layers, on asyncio or trio.

        Args:
            req: Anything; handed to each layer.
            res: Likewise.
            next: Called at the end of the chain, with the error that no layer took, or without.

        Returns:
            What the layer that answered returned; at the end of the chain, what ``next`` returned.

        Raises:
            BaseException: What no error layer took, where there is no ``next``; what ``next``
                raises; and what is never caught, such as a cancellation.
        """
        answer = self._start(self._door(req, res, next))
        del req, res, next  # this frame may end up in the traceback of an error
        return await answer

    def run(self, req: Any, res: Any, next: Next | None = None) -> Any:
        """
        Run the layers in this thread, without a loop.

        Args:
            req: As for a call of the chain.
            res: Likewise.
            next: Likewise; an async one is run to its end.

        Returns:
            As a call of the chain.

        Raises:
            TypeError: A layer is async; nothing is run if that can be seen beforehand.
            BaseException: As a call of the chain.
        """
        self.refuse_async()
        door = self._door(req, res, next)
        del req, res, next
        try:
            return run_here(door)
        finally:
            del door

    def refuse_async(self) -> None:
        """Refuse to run without a loop what has an async layer."""
        for step in self._steps:
            if not step.is_async:
                continue
            if isinstance(step.layer, Chain):
                step.layer.refuse_async()
            else:
                refuse_async(step)

    def _door(self, req: Any, res: Any, next: Next | None) -> Turn:
        """Return the turn that comes before the first layer."""
        if not (next is None or callable(next)):
            msg = f"a chain is called with a callable `next`, or none: got {next!r}."
            raise TypeError(msg)
        plan = self._plan
        if plan is None:
            plan = self._plan = linked(self._steps)
            self._first = first_normal(plan)
        run = Run(plan, req, res, next)
        if isinstance(next, Turn):  # we are a layer of another chain: share its stack
            run.roots = next.run.roots
        if self._tracker is not None:
            self._tracker(run)
        door = Turn()
        door.run, door.target, door.state, door.more = run, self._first, CALLED, None
        door.waiter = None
        return door

    def __repr__(self) -> str:
        return f"<Chain of {len(self._steps)} layers>"


def is_error_type(error_type: object) -> bool:
    """Say whether it can stand after ``except``."""
    return isinstance(error_type, type) and issubclass(error_type, BaseException)


def tracker_of(track_response: object) -> Callable[[Run], None] | None:
    """Return what makes a run watch its response, ``None`` where it need not."""
    if track_response is False:
        return None
    from catchasync._response import as_tracker, watch  # noqa: PLC0415 - they need wrapt

    tracker = as_tracker(track_response)

    def track(run: Run) -> None:
        call = Call()
        run.res = watch(tracker, run.res, call)
        run.watch = call.response

    return track
