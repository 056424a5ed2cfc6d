"""What all tests share."""

from __future__ import annotations

import sys
from pathlib import Path

# At the end: `examples` and `benchmarks` can be imported, and `catchasync` stays the installed one.
sys.path.append(str(Path(__file__).parents[1]))
