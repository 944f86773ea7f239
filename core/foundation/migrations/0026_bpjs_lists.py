"""BPJS's own lists, a row an item, in place of one fact that held a few of them."""

from peewee import *

from core.foundation.database import FlagField, InstantField


def up(migrator, db):
    class BpjsListItem(Model):
        kind = CharField(max_length=16)
        code = CharField(max_length=24)
        name = CharField(max_length=200, default="")
        flag = FlagField(null=True)
        read_at = InstantField()

        class Meta:
            database = db
            table_name = "bpjs_list_item"
            primary_key = CompositeKey("kind", "code")

    db.create_tables([BpjsListItem])
    # It is read anew from BPJS within half a minute.
    db.execute_sql("DELETE FROM state WHERE key = 'bpjs_lists'")
