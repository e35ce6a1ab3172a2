"""What every test finds: ``tests/`` is importable, so that ``from support.services import Stack`` works."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
