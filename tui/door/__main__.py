"""`python -m tui.door`: an SSH door for the core at LOKET_SERVER_URL (by default the one beside it)."""

from __future__ import annotations

import sys

from core.foundation import garbage

if __name__ == "__main__":
    with garbage.not_collected():
        from tui.door import program
    sys.exit(program.main())
