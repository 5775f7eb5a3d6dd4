"""The pages on the demo country.

How long each takes to come, and how much it weighs, for each of the demo's people.
"""

import re
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.database.caller import Role
from app.web.access import PAGES
from benchmarks.figures import Line, limited
from benchmarks.ground import serving_plek

ASKED = 20
MEDIAN_BAR_MS = 100.0
FIRST_BAR_KB, AFTER_BAR_KB = 200.0, 50.0
KB = 1000
"""Bytes of a kB."""
FROM_US = {"Sec-Fetch-Site": "same-origin"}
FILES = re.compile(r'(?:src|href)="(/static/[^"]+)"')
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
STREAMS = frozenset({"/live"})
"""Which never end, so that they cannot be timed."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """One page, as one of the demo's people sees it."""

    role: str
    path: str
    median_ms: float
    page_kb: float
    files_kb: float
    """What it loads besides, compressed, the first time; kept from then on."""


def measure(*, asked: int = ASKED) -> list[Line]:
    """Sign in as each of the demo's people, and ask for each page of theirs that needs no id."""
    with (
        tempfile.TemporaryDirectory(prefix="plek-", ignore_cleanup_errors=True) as temporary,
        serving_plek(Path(temporary) / "demo", options=["--demo"]) as served,
    ):
        base = f"http://127.0.0.1:{served.port}"
        found = [
            page
            for role in Role
            if role != Role.CLIENT_SYSTEM
            for page in _of(base, role, asked=asked)
        ]
    for page in found:
        print(
            f"pages: {page.role:14} {page.path:28} {page.median_ms:6.1f} ms "
            f"{page.page_kb:6.1f} kB, and {page.files_kb:6.1f} kB the first time"
        )
    return [
        limited(
            "slowest page, median",
            value=max(page.median_ms for page in found),
            most=MEDIAN_BAR_MS,
            unit="ms",
        ),
        limited(
            "heaviest page, first load",
            value=max(page.page_kb + page.files_kb for page in found),
            most=FIRST_BAR_KB,
            unit="kB",
        ),
        limited(
            "heaviest page, after",
            value=max(page.page_kb for page in found),
            most=AFTER_BAR_KB,
            unit="kB",
        ),
    ]


def _of(base: str, role: Role, *, asked: int) -> list[Weighed]:
    with httpx.Client(
        base_url=base, headers={"Accept-Encoding": "gzip"} | FROM_US, timeout=30
    ) as http:
        http.headers["Cookie"] = _signed_in(http, role)
        paths = sorted(
            path
            for (method, path), row in PAGES.items()
            if method == "GET" and role in row.roles and "{" not in path and path not in STREAMS
        )
        weighed = [_weigh(http, role, path, asked=asked) for path in paths]
    return [page for page in weighed if page is not None]


def _signed_in(http: httpx.Client, role: Role) -> str:
    """Press the demo's button for a role, and return the cookies.

    Httpx itself keeps none that ask for TLS.
    """
    start = http.get("/")
    (csrf, *_) = CSRF.findall(start.text)
    sent = {"csrf": csrf, "role": role.value}
    entered = http.post("/demo-sign-in", data=sent, headers={"Cookie": _cookies(start)})
    if not entered.is_redirect:
        raise SystemExit(f"the demo does not let in {role.value}: {entered.status_code}")
    return _cookies(entered)


def _cookies(answer: httpx.Response) -> str:
    pairs = [line.partition(";")[0] for line in answer.headers.get_list("set-cookie")]
    return "; ".join(pair for pair in pairs if not pair.endswith(("=", '=""')))


def _weigh(http: httpx.Client, role: Role, path: str, *, asked: int) -> Weighed | None:
    answer, took = http.get(path), list[float]()
    for _ in range(asked):
        began = time.perf_counter()
        answer = http.get(path)
        took.append(time.perf_counter() - began)
    if not answer.is_success or "text/html" not in answer.headers["content-type"]:
        return None
    files = sum(_sent(http.get(file)) for file in sorted(set(FILES.findall(answer.text))))
    return Weighed(role.value, path, statistics.median(took) * 1000, _sent(answer) / KB, files / KB)


def _sent(answer: httpx.Response) -> int:
    return answer.num_bytes_downloaded or len(answer.content)
