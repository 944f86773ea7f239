"""Accounts for the administrator: who may sign in, as what, with which keys, and who is signed in."""
