"""Counters that go on without the core: what the core gives their machines, and what it gets back from them.

`machines` knows them, `copies` says what they hold, `deliveries` takes what they registered; on the machine itself
`store` keeps it sealed, `fresh_copy` brings it up to date and `pending` holds what waits.
"""
