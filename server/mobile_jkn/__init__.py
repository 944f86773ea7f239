"""Calls of Mobile JKN (BPJS) to a clinic: numbers taken from home, and the state of the queue.

Source: docs/reference/indonesia.md 3A. The answers' envelope, names and codes are BPJS's, so they are Indonesian
whatever the clinic's language; refusals are sentences because the app shows them to the patient.
Without `LOKET_JKN_USERNAME` and `LOKET_JKN_PASSWORD` every call answers 404.
"""

from server.mobile_jkn.calls import ROUTERS

__all__ = ["ROUTERS"]
