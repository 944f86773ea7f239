"""A `y` that is spoken as `i` sounds like one: see 0009, which writes all search keys anew."""


def up(migrator, db):
    pass
