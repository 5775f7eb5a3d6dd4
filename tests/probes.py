"""Probes in every line and branch of the folder that is measured.

In the processes that pytest-xdist starts, and there alone. They are compiled into what is imported
after this module; everything else runs as fast as ever, while a tracer slows libraries down too.
"""

import os
from pathlib import Path

from slipcover import FileMatcher, ImportManager, Slipcover

FOLDER = "PLEK_COVER"
"""How the process that starts the workers tells them what to measure."""
ALSO = [r"\.\.\.$"]
"""What cannot run, beside what is marked as such: a body that is no more than dots."""
FOREVER = -1
"""Probes stay where they are: to take one out costs more than it does."""


def _begun() -> Slipcover | None:
    folder = os.environ.get(FOLDER)
    if not folder or "PYTEST_XDIST_WORKER" not in os.environ:
        return None
    probes = Slipcover(branch=True, source=[folder], exclude_also=ALSO, d_miss_threshold=FOREVER)
    ImportManager(probes, FileMatcher(sources=[Path(folder)])).__enter__()
    return probes


PROBES = _begun()
