"""The scripts in packaging/ are run by path, so that is how tests find them too."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent.parent / "packaging"))
