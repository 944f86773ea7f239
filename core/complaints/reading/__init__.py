"""From known words to findings: the token stream, scope, times and measurements.

`reader.read` is the way in. In: "tidak demam, sesak sejak tadi". Out: a `Reading` with demam negated and sesak
affirmed.
"""

__all__ = ["measurements", "occurrences", "reader", "timeline"]
