"""Pairs of patients who may be one."""

from peewee import *


def up(migrator, db):
    class SuspectedPair(Model):
        low_id = CharField(max_length=36)
        high_id = CharField(max_length=36, index=True)
        score = DoubleField(index=True)

        class Meta:
            database = db
            table_name = "suspected_pair"
            primary_key = CompositeKey("low_id", "high_id")

    db.create_tables([SuspectedPair])
