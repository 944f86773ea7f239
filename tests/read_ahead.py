"""Reads once what each process of the tests would read anew: modules, and the words of complaints.

Only processes from which others are forked import this one. The clinic's own start from nothing is that of
`tests/e2e/test_wheel.py`.
"""

from __future__ import annotations

import gc

import openpyxl  # noqa: F401 - for whoever writes reports

import server.app
import server.cli
import server.doctor
import server.run
import server.scheduler  # noqa: F401 - read here, for all who are forked
from core.complaints.vocabulary import Vocabulary

Vocabulary.load()
gc.collect()
gc.freeze()  # whoever is forked walks over nothing of it
