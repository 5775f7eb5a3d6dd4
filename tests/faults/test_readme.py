"""The README keeps its word.

Its walk is run as it stands, in a shell, beside a served demo country.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import Copy

ROOT = Path(__file__).parents[2]
WALK = re.compile(r"^## The main job.*?(?=^## )", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@contextmanager
def serving(folder: Path) -> Generator[str]:
    """Serve the demo country in `folder`/var from nothing, like `make run`; yield the URL."""
    command = [
        sys.executable,
        "-m",
        "app",
        "serve",
        "--demo",
        "--port",
        "0",
        "--data-dir",
        str(folder / "var"),
    ]
    with (folder / "serve.log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                log.write(line)
                if found := ADDRESS.search(line):
                    yield found.group()
                    return
            pytest.fail(f"it did not start: {(folder / 'serve.log').read_text()}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=120)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the walk needs curl")
def test_the_walk_of_the_readme_works_as_it_stands(demo: Copy) -> None:
    folder = demo().path.parent
    section = WALK.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert section is not None
    blocks = BLOCK.findall(section.group())
    assert len(blocks) >= 6
    tools = folder / ".venv" / "bin"
    tools.mkdir(parents=True)
    for tool in ("python", "plek"):
        (tools / tool).symlink_to(Path(sys.executable).parent / tool)

    with serving(folder) as address:
        script = "\n".join(blocks).replace("http://127.0.0.1:8000", address)
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - the shell that a newcomer has
            cwd=folder,
            env=os.environ | {"NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    *_, arrived, departed = ran.stdout.split()
    assert "'score'" in ran.stdout
    assert "'children': [{'age': 4, 'gender': 'male'}]" in ran.stdout
    assert (arrived, departed) == ("2", "3")
