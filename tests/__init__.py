"""Loket's tests.

They start hundreds of processes. Where the environment forbids to write bytecode, as containers do, each of them
would compile Loket again, in a second and more: here it is written.
"""

import os
import sys

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
