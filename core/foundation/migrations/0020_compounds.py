"""Prescriptions: ingredients of a compounded medicine, how it is made up, directions in shorthand."""

from peewee import *

from core.foundation.database import DocumentField, FlagField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("prescription", "ingredients", DocumentField(default=[])),
        migrator.add_column("prescription", "papers", IntegerField(null=True)),
        migrator.add_column("prescription", "per_paper", FlagField(default=True)),
        migrator.add_column("prescription", "make", CharField(max_length=8, null=True)),
        migrator.add_column("prescription", "signa", CharField(max_length=80, default="")),
    )
