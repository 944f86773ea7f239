"""Search keys are made again at the start when their version has changed: see `core.linkage.search_keys`."""


def up(migrator, db):
    pass
