"""Invariant: which layers run, in which order, and the verdict are what a tiny model says.

Random chains of every mix (pass, answer, raise, recover, skip, call twice, raise after all, groups,
typed error layers, chains in chains; awaited, left alone, from a thread) run on each loop, and
those of sync layers also without one. The model is a recursion over the same script that knows
nothing of turns. A failing script prints its seed.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from catchasync import SKIP_ROUTE, SKIP_ROUTER, Chain, NextCalledTwice
from tests.chain_support import LOOPS, on

CHAINS = 40_000 if os.environ.get("CATCHASYNC_FULL") else 2_000
BATCHES = 8

ACTS = ("next", "next", "next", "answer", "answer none", "raise", "error", "route", "router")
AWAITED = ("await", "await and replace", "await and handle", "await and swallow")
LEFT = ("leave", "leave and replace", "return", "thread")
LEFT_FOR: dict[str, str] = dict(zip(AWAITED + LEFT, LEFT * 2, strict=True))


class Ping(Exception):
    """A failure of a layer."""


class Pong(Exception):
    """A failure of another type."""


@dataclass(frozen=True)
class Layer:
    """What one layer does."""

    name: str
    takes: type[BaseException] | None  # an error layer, for this type
    group: int | None
    is_async: bool
    act: str
    how: str
    again: str | None
    raises_after: bool
    error_type: type[Exception]
    inside: tuple[Layer, ...] = ()  # it is a chain of these


@dataclass
class Outcome:
    """What can be seen of a run."""

    ran: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    verdict: str = ""


class Draw(random.Random):
    """Draws chains."""

    def chain(self, size: int, depth: int, prefix: str = "") -> tuple[Layer, ...]:
        """Draw the layers of a chain."""
        layers: list[Layer] = []
        group: int | None = None
        for number in range(self.randrange(size)):
            group = self.choice([None, None, group, number])
            layers.append(self.layer(f"{prefix}{number}", group, depth))
        return tuple(layers)

    def layer(self, name: str, group: int | None, depth: int) -> Layer:
        """Draw one layer."""
        is_chain = depth > 0 and self.random() < 0.1
        takes = None if is_chain else self.choice([None, None, Ping, Exception])
        is_async = self.random() < 0.6
        return Layer(
            name=name,
            takes=takes,
            group=group,
            is_async=is_async,
            act=self.choice(ACTS),
            how=self.choice(AWAITED + LEFT if is_async else LEFT),
            again=self.choice([None, None, None, "next", "error"]),
            raises_after=self.random() < 0.1,
            error_type=self.choice([Ping, Pong]),
            inside=self.chain(5, depth - 1, f"{name}.") if is_chain else (),
        )


# The model.


class Raised(Exception):
    """What the model raises in place of a failure."""

    def __init__(self, name: str, error_type: type[Exception]) -> None:
        super().__init__(name)
        self.name = name
        self.error_type = error_type


Cont = Callable[[Raised | None], Any]


class Model:
    """Says what will be seen, by recursion."""

    def __init__(self) -> None:
        self.outcome = Outcome()

    def rest(
        self, layers: tuple[Layer, ...], start: int, error: Raised | None, origin: Any, end: Cont
    ) -> Any:
        """Find the next layer, and play it."""
        for index in range(start, len(layers)):
            layer = layers[index]
            if error is None:
                is_next = layer.takes is None
            else:
                in_sight = layer.group is None or layer.group == origin
                is_next = (
                    in_sight
                    and layer.takes is not None
                    and issubclass(error.error_type, layer.takes)
                )
            if is_next:
                return self.play(layers, index, error, end)
        return end(error)

    def play(self, layers: tuple[Layer, ...], index: int, error: Raised | None, end: Cont) -> Any:
        """Play one layer, and what it goes on to."""
        layer = layers[index]
        if layer.inside:

            def after(error: Raised | None) -> Any:
                return self.rest(layers, index + 1, error, layer.group, end)

            return self.rest(layer.inside, 0, None, "outside", after)
        self.outcome.ran.append(f"{layer.name}:{error.name if error else ''}")
        own = Raised(layer.name, layer.error_type)
        if layer.act == "answer":
            return f"of {layer.name}"
        if layer.act == "answer none":
            return None
        if layer.act == "raise":
            return self.rest(layers, index + 1, own, layer.group, end)
        self.twice(layer)

        def go_on() -> Any:
            if layer.act == "router":
                return end(None)
            start = index + 1
            if layer.act == "route" and layer.group is not None:
                while start < len(layers) and layers[start].group == layer.group:
                    start += 1
            handed = own if layer.act == "error" else None
            return self.rest(layers, start, handed, layer.group, end)

        return self.awaited(layer, go_on) if layer.how in AWAITED else self.left(layer, go_on)

    def twice(self, layer: Layer) -> None:
        """Note the second call."""
        if layer.again:
            self.outcome.late.append(f"{layer.name} {layer.again} again")

    def awaited(self, layer: Layer, go_on: Callable[[], Any]) -> Any:
        """Play a layer that awaits what comes next."""
        try:
            answer = go_on()
        except Raised:
            if layer.how == "await and handle":
                return f"handled by {layer.name}"
            if layer.how == "await and swallow":
                return None
            raise
        if layer.raises_after:
            self.outcome.late.append(f"{layer.name} after")
            return answer
        return f"of {layer.name}" if layer.how == "await and replace" else answer

    def left(self, layer: Layer, go_on: Callable[[], Any]) -> Any:
        """Play a layer that is over before what comes next begins."""
        if layer.how == "thread":
            return go_on()
        if layer.raises_after:
            self.outcome.late.append(f"{layer.name} after")
            return go_on()
        answer = go_on()
        return f"of {layer.name}" if layer.how == "leave and replace" else answer


def predicted(layers: tuple[Layer, ...], outer: str) -> Outcome:
    """Say what a run will be."""
    model = Model()

    def end(error: Raised | None) -> Any:
        if outer == "answers":
            model.outcome.ran.append(f"outer:{error.name if error else ''}")
            return "of outer"
        if error is not None:
            raise error
        return None

    try:
        model.outcome.verdict = f"answer {model.rest(layers, 0, None, 'outside', end)}"
    except Raised as error:
        model.outcome.verdict = f"raised {error.name}"
    return model.outcome


# The real thing.


class Play:
    """Runs a script as a chain."""

    def __init__(self, layers: tuple[Layer, ...], outer: str) -> None:
        self.outcome = Outcome()
        self.threads: list[threading.Thread] = []
        self.outer = self.be_outer if outer == "answers" else None
        self.chain = self.built(layers)

    def built(self, layers: tuple[Layer, ...]) -> Chain:
        """Make the chain."""
        chain = Chain(late=self.late)
        position = 0
        while position < len(layers):
            group = layers[position].group
            last = position + 1
            while group is not None and last < len(layers) and layers[last].group == group:
                last += 1
            self.add(chain, layers[position:last], group)
            position = last
        return chain

    def add(self, chain: Chain, layers: tuple[Layer, ...], group: int | None) -> None:
        """Add one layer, or a group of them."""
        made = [self.made(layer) for layer in layers]
        if group is None:
            [layer] = layers
            if layer.takes is None:
                chain.use(made)
            else:
                chain.use_error(made, layer.takes)
        else:
            chain.route(made)
            for step, layer in zip(chain._steps[-len(layers) :], layers, strict=True):
                if layer.takes is not None:  # `route` has no word for types
                    step.types = (layer.takes,)

    def made(self, layer: Layer) -> Any:
        """Make the callable of one layer."""
        if layer.inside:
            return self.built(layer.inside)
        act = self.act_async if layer.is_async else self.act
        if layer.takes is None:
            if layer.is_async:

                async def normal_async(_req: Any, _res: Any, next: Any) -> Any:
                    return await act(layer, None, next)

                return normal_async
            return lambda _req, _res, next: act(layer, None, next)
        if layer.is_async:

            async def error_async(error: Any, _req: Any, _res: Any, next: Any) -> Any:
                return await act(layer, error, next)

            return error_async
        return lambda error, _req, _res, next: act(layer, error, next)

    def begin(self, layer: Layer, error: Any) -> None:
        """Note that a layer runs."""
        self.outcome.ran.append(f"{layer.name}:{error or ''}")
        if layer.act == "raise":
            raise layer.error_type(layer.name)

    def go_on(self, layer: Layer, next: Any) -> Any:
        """Call `next`, once or twice."""
        what: Any = {"route": SKIP_ROUTE, "router": SKIP_ROUTER}.get(layer.act)
        if layer.act == "error":
            what = layer.error_type(layer.name)
        rest = next() if what is None else next(what)
        if layer.again == "next":
            next()
        elif layer.again == "error":
            next(Ping(f"{layer.name} error again"))
        return rest

    def act(self, layer: Layer, error: Any, next: Any) -> Any:
        """Be a sync layer."""
        self.begin(layer, error)
        if layer.act.startswith("answer"):
            return f"of {layer.name}" if layer.act == "answer" else None
        if layer.how == "thread":
            self.threads.append(threading.Thread(target=self.go_on, args=(layer, next)))
            self.threads[-1].start()
            return None
        rest = self.go_on(layer, next)
        if layer.raises_after:
            raise Ping(f"{layer.name} after")
        return {"leave and replace": f"of {layer.name}", "return": rest}.get(layer.how)

    async def act_async(self, layer: Layer, error: Any, next: Any) -> Any:
        """Be an async layer."""
        if layer.how not in AWAITED or layer.act in {"answer", "answer none", "raise"}:
            return self.act(layer, error, next)
        self.begin(layer, error)
        try:
            answer = await self.go_on(layer, next)
        except (Ping, Pong):
            if layer.how == "await and handle":
                return f"handled by {layer.name}"
            if layer.how == "await and swallow":
                return None
            raise
        if layer.raises_after:
            raise Ping(f"{layer.name} after")
        return {"await": answer, "await and replace": f"of {layer.name}"}.get(layer.how)

    def be_outer(self, error: Any = None) -> str:
        """Be the outer `next`."""
        self.outcome.ran.append(f"outer:{error or ''}")
        return "of outer"

    def late(self, error: BaseException) -> None:
        """Be `late`."""
        if isinstance(error, NextCalledTwice):
            self.outcome.late.append("next again")
        else:
            self.outcome.late.append(str(error))

    async def run_async(self) -> None:
        """Run it on a loop."""
        try:
            self.outcome.verdict = f"answer {await self.chain(1, 2, self.outer)}"
        except (Ping, Pong) as error:
            self.outcome.verdict = f"raised {error}"

    def run(self) -> None:
        """Run it without a loop."""
        try:
            self.outcome.verdict = f"answer {self.chain.run(1, 2, self.outer)}"
        except (Ping, Pong) as error:
            self.outcome.verdict = f"raised {error}"


def comparable(outcome: Outcome) -> tuple[list[str], list[str], str]:
    """Return what must agree: threads tell of late calls when they come to it."""
    late = ["next again" if each.endswith(" next again") else each for each in outcome.late]
    return outcome.ran, sorted(late), outcome.verdict


def is_sync(layers: tuple[Layer, ...]) -> bool:
    """Say whether a chain needs no loop."""
    return not any(layer.is_async or not is_sync(layer.inside) for layer in layers)


@dataclass(frozen=True)
class Script:
    """A chain, and who is at its end."""

    seed: int
    layers: tuple[Layer, ...]
    outer: str

    @classmethod
    def drawn(cls, seed: int) -> Script:
        """Draw one."""
        draw = Draw(seed)
        layers = draw.chain(10, 2)
        if seed % 4 == 0:  # a quarter for the driver without a loop
            layers = all_sync(layers)
        return cls(seed, layers, draw.choice(["none", "answers"]))


def all_sync(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Make sync layers of async ones, that do what a sync layer can."""
    return tuple(
        replace(layer, is_async=False, how=LEFT_FOR[layer.how], inside=all_sync(layer.inside))
        for layer in layers
    )


async def check_async(scripts: list[Script]) -> None:
    """Check scripts on a loop."""
    for script in scripts:
        play = Play(script.layers, script.outer)
        await play.run_async()
        check(script, play)


def check_sync(scripts: list[Script]) -> None:
    """Check the scripts of sync layers without a loop."""
    for script in scripts:
        play = Play(script.layers, script.outer)
        play.run()
        check(script, play)


def check(script: Script, play: Play) -> None:
    """Compare with the model."""
    for thread in play.threads:
        thread.join()
    expected = predicted(script.layers, script.outer)
    assert comparable(expected) == comparable(play.outcome), script


def scripts_of(batch: int) -> list[Script]:
    """Draw a batch of scripts."""
    return [Script.drawn(seed) for seed in range(batch, CHAINS, BATCHES)]


@pytest.mark.parametrize("batch", range(BATCHES))
def test_chains_do_what_the_model_says_on_loops(batch: int) -> None:
    """On asyncio, uvloop and trio in turn."""
    on(LOOPS[batch % len(LOOPS)], check_async, scripts_of(batch))


def test_chains_do_what_the_model_says_without_a_loop() -> None:
    """The sync driver agrees with the model, hence with the async one."""
    scripts = [script for batch in range(BATCHES) for script in scripts_of(batch)]
    sync = [script for script in scripts if is_sync(script.layers)]

    assert len(sync) >= CHAINS / 4
    check_sync(sync)


def test_scripts_are_varied() -> None:
    """The draw reaches every act, every way, late calls, groups and chains in chains."""
    scripts = [Script.drawn(seed) for seed in range(2_000)]
    layers = [layer for script in scripts for layer in script.layers]

    assert set(ACTS) == {layer.act for layer in layers}
    assert {*AWAITED, *LEFT} == {layer.how for layer in layers}
    assert any(layer.inside for layer in layers)
    verdicts = {predicted(script.layers, script.outer).verdict.split()[0] for script in scripts}
    assert {"answer", "raised"} == verdicts
