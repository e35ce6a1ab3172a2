"""A bundle of one's own, and templates rendered from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest
from support.services import real_machine

from deploykit.templating.sources import Sources
from deploykit.templating.templates import Templates


class Bundle:
    """Writes templates below ``config_templates/`` and opens them with the given names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> str:
        """A template (name below config_templates/); returns the name."""
        path = self.folder / "config_templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return name

    def open(self, **names: Any) -> Templates:
        return Templates(names, Sources(real_machine(), str(self.folder)))


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle(tmp_path)


@pytest.fixture
def rendered(bundle: Bundle) -> Callable[..., str]:
    """``rendered(text, name=value)``: the text as a template ``t.j2``, rendered."""

    def render(text: str, /, **names: Any) -> str:
        bundle.write("t.j2", text)
        return bundle.open(**names).render("t.j2")

    return render
