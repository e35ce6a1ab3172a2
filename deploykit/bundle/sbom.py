"""The bill of materials: CycloneDX 1.6 as JSON, the same bytes for the same bundle."""

from __future__ import annotations

import json
import re
from email.parser import HeaderParser
from typing import Any, Dict, List, Sequence
from uuid import UUID

from deploykit import __version__
from deploykit.bundle.licences import licence
from deploykit.bundle.vendor import Library, digest

NAME = "sbom.cdx.json"
LICENCE = "Apache-2.0"  # ours


def dump(application: str, libraries: Sequence[Library]) -> bytes:
    """The document. application: the name in deploykit.yml, or ``""``. No time and no random number is in it."""
    components = [_deploykit(libraries), *(_component(library) for library in libraries)]
    document: Dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": "revision", "name": application or "revision"},
            "properties": [{"name": "deploykit:version", "value": __version__}],
        },
        "components": components,
        "dependencies": _dependencies(libraries),
    }
    # A number of its own, as the format wants it, that only another content changes.
    document["serialNumber"] = UUID(bytes=bytes.fromhex(digest(_text(document))[:32]), version=5).urn
    return _text(document)


def _text(document: Dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=True) + "\n").encode("ascii")


def purl(library: Library) -> str:
    """The package URL, which advisories are looked up by."""
    return f"pkg:pypi/{library.name}@{library.version}"


def _deploykit(libraries: Sequence[Library]) -> Dict[str, Any]:
    return {
        "type": "framework",
        "bom-ref": "deploykit",
        "name": "deploykit",
        "version": __version__,
        "licenses": [{"license": {"id": LICENCE}}],
        "purl": f"pkg:generic/deploykit@{__version__}",
    }


def _component(library: Library) -> Dict[str, Any]:
    headers = HeaderParser().parsestr(library.metadata)
    return {
        "type": "library",
        "bom-ref": purl(library),
        "name": library.name,
        "version": library.version,
        "description": str(headers.get("Summary", "")),
        "licenses": [licence(library.metadata, library.licence)],
        "purl": purl(library),
        "hashes": [{"alg": "SHA-256", "content": wheel.sha256} for wheel in library.wheels],
        "properties": [{"name": "deploykit:wheel", "value": wheel.path.rsplit("/", 1)[-1]} for wheel in library.wheels],
        "components": [
            {
                "type": "file",
                "bom-ref": entry.path,
                "name": entry.path,
                "hashes": [{"alg": "SHA-256", "content": digest(entry.content)}],
            }
            for entry in library.entries
        ],
    }


def _dependencies(libraries: Sequence[Library]) -> List[Dict[str, Any]]:
    there = {library.name: purl(library) for library in libraries}
    needed = {library.name: _requires(library) for library in libraries}
    indirect = {name for names in needed.values() for name in names}
    rows: List[Dict[str, Any]] = [{"ref": "revision", "dependsOn": ["deploykit"]}]
    rows.append({"ref": "deploykit", "dependsOn": sorted(ref for name, ref in there.items() if name not in indirect)})
    for library in libraries:
        rows.append({"ref": purl(library), "dependsOn": sorted(there[name] for name in needed[library.name] if name in there)})
    return rows


def _requires(library: Library) -> List[str]:
    """Names of what it needs; what only an extra needs is left out."""
    rows = [str(row) for row in HeaderParser().parsestr(library.metadata).get_all("Requires-Dist", [])]
    names = [re.match(r"[A-Za-z0-9._-]+", row) for row in rows if "extra ==" not in row]
    return [re.sub(r"[-_.]+", "-", name[0]).lower() for name in names if name]
