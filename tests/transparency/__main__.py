"""``python -m tests.transparency flask --folder F``: one framework's tests, twice, compared."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.transparency.runs import ABSENT, Difference, Run, Runner, differences
from tests.transparency.suites import Suite, source_of, suites
from tests.transparency.table import PAGE, put_left_out, put_row


def main() -> None:
    """Run a suite without and with the wrapping; fail if a test comes out differently."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("framework", choices=suites())
    parser.add_argument("--folder", type=Path, required=True, help="for sources and records")
    parser.add_argument("--source", type=Path, help="a checkout, where an sdist has no tests")
    parser.add_argument("--together", action="store_true", help="both runs at once")
    arguments = parser.parse_args()
    suite = suites()[arguments.framework]
    folder = arguments.folder.resolve()
    source = arguments.source.resolve() if arguments.source else source_of(suite, folder)
    runner = Runner(suite, source, folder)
    plain, wrapped = twice(runner, together=arguments.together)
    if not wrapped.wrapped or "passed" not in plain.outcomes.values():
        sys.exit(f"no test passed, or no handler was wrapped: see {folder}/{suite.name}-*.log")
    found = differences(plain, wrapped)
    lasting = again(runner, found)
    report(suite, plain, wrapped, found, lasting)
    write(suite, plain, wrapped, len(found) - len(lasting), len(lasting))
    sys.exit(f"{len(lasting)} tests come out differently" if lasting else 0)


def twice(runner: Runner, *, together: bool) -> tuple[Run, Run]:
    """Run without and with the wrapping."""
    with ThreadPoolExecutor(2 if together else 1) as pool:
        plain = pool.submit(runner.run, on=False)
        wrapped = pool.submit(runner.run, on=True)
        return plain.result(), wrapped.result()


def again(runner: Runner, found: list[Difference]) -> list[Difference]:
    """Run the tests that differ once more, alone: what then agrees is chance, not the wrapping.

    That a test was not run at all is no chance.
    """
    missing = [difference for difference in found if ABSENT in difference]
    tests = [difference.test for difference in found if difference not in missing]
    if not tests:
        return missing
    alone = (runner.run(on=False, only=tests), runner.run(on=True, only=tests))
    return [*missing, *differences(*alone)]


def report(
    suite: Suite, plain: Run, wrapped: Run, found: list[Difference], lasting: list[Difference]
) -> None:
    """Print how it went."""
    print(f"{suite.name} {suite.version}: passed / failed / skipped")
    print(f"without {plain.counts}, with {wrapped.counts}, {wrapped.wrapped} handlers wrapped")
    for difference in found:
        kind = "differs" if difference in lasting else "differed once"
        print(f"{kind}: {difference.test}: {difference.without}, wrapped {difference.wrapped}")


def write(suite: Suite, plain: Run, wrapped: Run, unsteady: int, lasting: int) -> None:
    """Write the row of the table, and what was left out."""
    numbers = (wrapped.wrapped, lasting, unsteady, len(suite.left_out))
    cells = [suite.version, plain.counts, wrapped.counts, *map(str, numbers)]
    page = put_row(PAGE.read_text(), suite.name, cells)
    PAGE.write_text(put_left_out(page, suite))


if __name__ == "__main__":
    main()
