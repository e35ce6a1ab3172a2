"""What licence a library is under, as SPDX calls it."""

from __future__ import annotations

import re
from email.message import Message
from email.parser import HeaderParser
from typing import Any, Dict, List

# What METADATA of today's and yesterday's packages calls them.
_SPDX = {
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "mit license": "MIT",
    "isc license (iscl)": "ISC",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
}
_ID = re.compile(r"MIT|ISC|0BSD|Unlicense|(BSD|MPL|LGPL|GPL|PSF|Apache)(-[\w.]+)+")


def licence(metadata: str, text: str) -> Dict[str, Any]:
    """An entry for CycloneDX: an SPDX expression, an id, or at least the name that the package gives itself.

    metadata: of the package, as in its METADATA. text: of its licence files.
    """
    headers = HeaderParser().parsestr(metadata)
    expression = str(headers.get("License-Expression") or "")
    if " " in expression:
        return {"expression": expression}
    names = [expression, *_names(headers)]
    known = expression or next((_id(name) for name in names if _id(name)), "") or _bsd(names, text)
    return {"license": {"id": known} if known else {"name": next((name for name in names if name), "unknown")}}


def _names(headers: Message) -> List[str]:
    """What the two older fields say."""
    classifiers = [str(one) for one in headers.get_all("Classifier", [])]
    return [str(headers.get("License") or ""), *(one.rsplit(" :: ", 1)[-1] for one in classifiers if one.startswith("License"))]


def _id(name: str) -> str:
    return _SPDX.get(name.lower(), name if _ID.fullmatch(name) else "")


def _bsd(names: List[str], text: str) -> str:
    """The classifier is one for several licences; the clause about names tells which."""
    if "BSD License" not in names or "binary form" not in text:
        return ""
    return "BSD-3-Clause" if "Neither the name" in text else "BSD-2-Clause"
