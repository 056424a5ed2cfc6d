"""The one door: everything that is run on this project is a session here.

``nox`` runs what a change must pass, ``nox -s tests-3.12 -- -k once`` one Python and some tests,
``nox -l`` lists all. What is tested is the wheel that users get, never the working tree.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTHONS = sorted({*nox.project.python_versions(PROJECT), HERE}, key=lambda v: int(v.split(".")[1]))
COVERAGE_DATA = ROOT / ".coverage-data"
SUITES = nox.project.load_toml(ROOT / "tests" / "transparency" / "suites.toml")

nox.needs_version = ">=2026.10"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False  # a Python that is not here is said, not failed
nox.options.download_python = "never"

if sys.version_info < (3, 11):  # noqa: UP036 - nox itself runs on older ones
    sys.exit(f"catchasync needs Python 3.11 or newer; this nox runs on {HERE}")


def pyenv_folders() -> list[str]:
    """List where pyenv keeps its Pythons, the newest first.

    Its shims on ``PATH`` fail for every version that is not the active one.
    """
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [path for path in root.glob("versions/*") if re.fullmatch(r"3\.\d+\.\d+", path.name)]
    newest_first = sorted(folders, key=lambda path: int(path.name.split(".")[2]), reverse=True)
    return [str(path / "bin") for path in newest_first]


os.environ["PATH"] = os.pathsep.join([*pyenv_folders(), os.environ["PATH"]])


def group(*names: str) -> tuple[str, ...]:
    """Return what the dependency groups of these names ask for."""
    return nox.project.dependency_groups(PROJECT, *names)


def extras() -> tuple[str, ...]:
    """Return what the extras ask for: every framework that has an integration, and trio."""
    return tuple(
        bound for bounds in PROJECT["project"]["optional-dependencies"].values() for bound in bounds
    )


def install_wheel(session: nox.Session, *requirements: str) -> None:
    """Build the wheel and install it, and what else the session needs."""
    session.install(*PROJECT["build-system"]["requires"], *requirements)
    session.install("--no-build-isolation", ".")


NO_PROXIES = (  # -k: what has to do with wrapt alone
    "not (integrations or ecosystem or libraries or consumers or dask or docs or errors_page"
    " or model or soak or chain or fuzz or rollback or install)"
)


SIDE_BY_SIDE = ("--numprocesses=logical", "--maxprocesses=4", "--dist=loadfile")


def run_suite(session: nox.Session, *options: str, **env: str) -> None:
    """Run the tests under coverage; ``-P`` keeps the working tree out of the import path."""
    command = ["python", "-P", "-m", "coverage", "run", "-m", "pytest", *SIDE_BY_SIDE]
    session.run(*command, *options, *session.posargs, env=env)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests on each Python; once more, but for the long ones, on wrapt without its C."""
    install_wheel(session, *extras(), *group("tests", "libraries", "ecosystem"))
    session.env["COVERAGE_FILE"] = str(COVERAGE_DATA / f".coverage.{session.name}")
    session.run("coverage", "erase")
    run_suite(session)
    if session.python == HERE:
        run_suite(session, "-k", NO_PROXIES, WRAPT_DISABLE_EXTENSIONS="1")


@nox.session
def coverage(session: nox.Session) -> None:
    """Demand that the last runs of all the `tests` sessions together reached every branch."""
    if not list(COVERAGE_DATA.glob(".coverage.*")):
        session.error("there is nothing to combine yet: run `nox -s tests` first")
    session.install(*group("coverage"))
    session.run("coverage", "combine", "--keep", str(COVERAGE_DATA))
    session.run("coverage", "report")


@nox.session(default=False)
def oldest(session: nox.Session) -> None:
    """Run the tests with the oldest version of each dependency that pyproject.toml allows."""
    bounds = [*PROJECT["project"]["dependencies"], *extras(), *group("libraries", "ecosystem")]
    install_wheel(session, *group("tests"), *(bound.replace(">=", "==") for bound in bounds))
    session.run("python", "-P", "-m", "pytest", *SIDE_BY_SIDE, *session.posargs)


@nox.session
def types(session: nox.Session) -> None:
    """Check all code with mypy, as each Python, and with pyright; then as a user would."""
    code = group("types", "tests", "bench", "demo", "libraries", "ecosystem")
    install_wheel(session, *extras(), *code)
    for version in PYTHONS:
        session.run("mypy", "--python-version", version)
    session.run("pyright")
    session.notify("types_of_the_wheel")


@nox.session(default=False)
def types_of_the_wheel(session: nox.Session) -> None:
    """Check tests/typing/ against the wheel, away from our code and settings."""
    install_wheel(session, *extras(), *group("types", "tests"))
    folder = Path(session.create_tmp()).resolve() / "typing"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "tests" / "typing", folder)
    session.chdir(folder)
    if list(folder.glob("*.py")):
        (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
        session.run("mypy", "--strict", ".")
        session.run("pyright")
    session.run("pyright", "--verifytypes", "catchasync", "--ignoreexternal")


@nox.session
def lint(session: nox.Session) -> None:
    """Check rules and formatting; ``nox -s lint -- --fix`` repairs what can be repaired."""
    session.install(*group("lint"))
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", *([] if session.posargs else ["--check"]))


@nox.session
def demo(session: nox.Session) -> None:
    """Run the sample API, and call it; ``nox -s demo -- --serve`` leaves it running for you."""
    install_wheel(session, *group("demo"))
    session.run("python", "-m", "examples.sample_api", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure what everything costs, and write the tables and plots of ``docs/performance.md``.

    ``nox -s bench -- --quick`` only prints; ``-- chain`` measures the cases named so anew.
    """
    install_wheel(session, *extras(), *group("bench"))
    session.run("python", "-P", "-m", "benchmarks", *session.posargs, env={"PYTHONPATH": "."})
    session.run("python", "-m", "benchmarks.report")


@nox.session(default=False)
@nox.parametrize("framework", [nox.param(name, id=name) for name in SUITES])
def transparency(session: nox.Session, framework: str) -> None:
    """Run a framework's own tests with every handler wrapped, and as they are."""
    suite = SUITES[framework]
    install_wheel(session, suite["package"], *suite["needs"])
    folder = session.cache_dir / "transparency"  # a virtual environment is no place for tests
    command = ["python", "-m", "tests.transparency", framework, "--folder", str(folder)]
    session.run(*command, *session.posargs)


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Build the documentation into build/site; ``nox -s docs -- --serve`` shows it as you write."""
    install_wheel(session, *group("docs"))
    session.env["NO_MKDOCS_2_WARNING"] = "1"  # an advertisement, on every run
    options = list(session.posargs)
    command = ["serve"] if "--serve" in options else ["build", "--strict", "--clean"]
    options = [option for option in options if option != "--serve"]
    session.run("mkdocs", *command, "--config-file", "docs/site/mkdocs.yml", *options)


@nox.session(default=False)
def build(session: nox.Session) -> None:
    """Build sdist and wheel into dist/, and test the wheel from what the sdist unpacks to."""
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.install(*extras(), *group("build", "tests", "libraries", "ecosystem"))
    session.run("python", "-m", "build")
    session.run("twine", "check", "--strict", *map(str, dist.iterdir()))
    [wheel] = dist.glob("*.whl")
    [sdist] = dist.glob("*.tar.gz")
    if "catchasync/py.typed" not in zipfile.ZipFile(wheel).namelist():
        session.error(f"{wheel.name} holds no catchasync/py.typed: users would see no types")

    folder = Path(session.create_tmp()).resolve()
    # Tests that start pytest in a folder of theirs shall find no settings of ours.
    session.env.pop("TMPDIR")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    unpacked = folder / sdist.name.removesuffix(".tar.gz")
    shutil.rmtree(unpacked / "catchasync")  # so that only the wheel can be tested
    session.install("--force-reinstall", str(wheel))
    session.chdir(unpacked)
    session.run("python", "-P", "-m", "pytest", *SIDE_BY_SIDE, *session.posargs)
