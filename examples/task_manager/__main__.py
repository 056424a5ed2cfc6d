"""Run the task manager: ``python -m examples.task_manager``, then open the page that it names."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn

from examples.serving import configure
from examples.task_manager.app import Manager


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m examples.task_manager")
    parser.add_argument("--port", type=int, default=8000, help="the port to serve on")
    parser.add_argument("--log", type=Path, default=Path("errors.jsonl"), help="the error log")
    parser.add_argument("--pace", type=float, default=0.5, help="seconds a step takes")
    given = parser.parse_args(arguments)
    app = Manager(given.log, pace=given.pace)
    print(f"Open http://127.0.0.1:{given.port}/ (errors go to {given.log}); Ctrl-C ends it.")
    with app.errors.install():
        uvicorn.Server(configure(app, port=given.port)).run()


if __name__ == "__main__":
    main()
