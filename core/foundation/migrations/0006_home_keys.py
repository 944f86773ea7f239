"""Address keys hold the beginnings of words: see 0009, which writes all search keys anew."""


def up(migrator, db):
    pass
