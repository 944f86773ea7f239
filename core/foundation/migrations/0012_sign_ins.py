"""Wrong guesses, addresses that signed in, proofs of keys, and what is known of each sign-in."""

from peewee import *

from core.foundation.database import InstantField


def up(migrator, db):
    class SignInFailure(Model):
        subject = CharField(max_length=64)
        source = CharField(max_length=64)
        at = InstantField()

        class Meta:
            database = db
            table_name = "sign_in_failure"
            indexes = ((("subject", "at"), False), (("source", "at"), False))

    class KnownSource(Model):
        subject = CharField(max_length=64)
        source = CharField(max_length=64)
        at = InstantField()

        class Meta:
            database = db
            table_name = "known_source"
            primary_key = CompositeKey("subject", "source")

    class KeyProof(Model):
        digest = CharField(max_length=64, primary_key=True)
        at = InstantField()

        class Meta:
            database = db
            table_name = "key_proof"

    db.create_tables([SignInFailure, KnownSource, KeyProof])
    migrator.migrate(
        migrator.add_column("token", "method", CharField(max_length=12, default="password")),
        migrator.add_column("token", "source", CharField(max_length=64, default="")),
        migrator.add_column("token", "label", CharField(max_length=80, default="")),
        migrator.add_column("token", "bound_to", CharField(max_length=64, default="")),
    )
