"""Referrals at BPJS: what stands beside an item of its lists, and the numbers it gives and tells of."""

from peewee import CharField

from core.foundation.database import DocumentField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("bpjs_list_item", "note", CharField(max_length=200, default="")),
        migrator.add_column("bpjs_visit", "referral", DocumentField(default=dict)),
        migrator.add_column("bpjs_visit", "back_referral", CharField(max_length=120, default="")),
    )
