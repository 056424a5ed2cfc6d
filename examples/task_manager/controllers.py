"""The controllers: what each route does, and nothing about failures.

They are plain functions: what they raise reaches the one error handler. So does a task that nobody
waits for: the error handler is its `next`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from catchasync import ErrorContext, ErrorHandler, spawn
from examples.task_manager.errors import MalformedBody, TaskCancelled
from examples.task_manager.model import Task
from examples.task_manager.monitor import ErrorCounts
from examples.task_manager.service import Tasks

PAGE: Final = Path(__file__).with_name("page.html")


def task_routes(tasks: Tasks, errors: ErrorHandler) -> list[Route]:
    """Make the routes of the tasks."""

    async def add(request: Request) -> Response:
        return JSONResponse(tasks.create(await body(request)).view(), 201)

    async def show_all(_request: Request) -> Response:
        return JSONResponse([task.view() for task in tasks.all()])

    async def show(request: Request) -> Response:
        return JSONResponse(tasks.get(number(request)).view())

    async def change(request: Request) -> Response:
        return JSONResponse(tasks.update(number(request), await body(request)).view())

    async def remove(request: Request) -> Response:
        tasks.delete(number(request))
        return Response(status_code=204)

    async def execute(request: Request) -> Response:
        task = tasks.begin(number(request))
        running = spawn(tasks.run(task), next=failed_task(errors, request), name=f"task {task.id}")
        tasks.watch(task, running)
        if request.query_params.get("wait") != "true":
            return JSONResponse(task.view(), 202)
        return await outcome(task, running)

    async def cancel(request: Request) -> Response:
        return JSONResponse(tasks.cancel(number(request)).view(), 202)

    return [
        Route("/tasks", add, methods=["POST"]),
        Route("/tasks", show_all),
        Route("/tasks/{id:int}", show),
        Route("/tasks/{id:int}", change, methods=["PATCH"]),
        Route("/tasks/{id:int}", remove, methods=["DELETE"]),
        Route("/tasks/{id:int}/execute", execute, methods=["POST"]),
        Route("/tasks/{id:int}/cancel", cancel, methods=["POST"]),
    ]


def other_routes(tasks: Tasks, counts: ErrorCounts) -> list[Route]:
    """Make the routes of the page, and of what it shows besides the tasks."""

    async def page(_request: Request) -> Response:
        return HTMLResponse(PAGE.read_text("utf-8"))

    async def stats(_request: Request) -> Response:
        return JSONResponse({"tasks": tasks.counts(), "errors": counts.view()})

    return [Route("/", page), Route("/stats", stats)]


def failed_task(errors: ErrorHandler, request: Request) -> Callable[[BaseException], Any]:
    """Make the `next` of a task: reports its failure, and answers the client, if it waits."""
    context = ErrorContext("task", request, accept=request.headers.get("accept"))
    return lambda error: errors(error, context)


async def outcome(task: Task, running: asyncio.Future[Any]) -> Response:
    """Wait for a task; its failure has reached `next`, whose answer is its result."""
    await asyncio.wait([running])
    if running.cancelled():
        msg = f"task {task.id} was cancelled"
        raise TaskCancelled(msg)
    result = running.result()
    return JSONResponse(result.view()) if isinstance(result, Task) else result


def number(request: Request) -> int:
    """Return the number of the task that is asked for."""
    return int(request.path_params["id"])


async def body(request: Request) -> Any:
    """Return what was sent as JSON."""
    try:
        return await request.json()
    except ValueError as error:
        msg = "the body is not JSON"
        raise MalformedBody(msg) from error
