"""Accounts that may sign in, their rights, keys and tokens, and the drafts they left half-typed."""

__all__ = ["doors", "drafts", "guessing", "key_proofs", "rights", "service", "sign_ins"]
