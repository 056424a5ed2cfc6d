"""Run the posts API: ``python -m examples.posts_api``, with a service that it fetches from."""

from __future__ import annotations

import argparse
import logging

import uvicorn

from examples.posts_api.app import App
from examples.posts_api.source import Source
from examples.posts_api.upstream import Upstream
from examples.serving import configure, serving

TRY = """\
The posts API answers on {address}. Try:

  curl -i {address}/posts
  curl -i '{address}/posts?user=0'
  curl -i {address}/posts/2
  curl -i {address}/posts/9
  curl -i {address}/posts/5
  curl -i {address}/posts/export
  curl -i {address}/nowhere

Its source keeps four posts, and one that is none. Ctrl-C ends it."""


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m examples.posts_api")
    parser.add_argument("--port", type=int, default=8000, help="the port to serve on")
    given = parser.parse_args(arguments)
    logging.basicConfig(format="%(levelname)s %(message)s")
    logging.getLogger("examples").setLevel(logging.INFO)
    upstream = Upstream()
    upstream.kept.append({"id": 5, "userId": "1", "title": None, "body": "Text."})
    print(TRY.format(address=f"http://127.0.0.1:{given.port}"), flush=True)
    with serving(upstream) as services:
        uvicorn.Server(configure(App(Source(services)), port=given.port)).run()


if __name__ == "__main__":
    main()
