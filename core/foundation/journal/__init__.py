"""The journal: what was acknowledged outlives the disk (ADR 23).

`capture` keeps each transaction's changeset beside it, `shipping` brings it to the second place before the answer,
`frames` says how it stands there. Restoring by it is `core.daily.backup`'s.
"""
