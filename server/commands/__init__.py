"""The commands of `loket`, one file a group.

`server.cli` composes them. A command is a thin wrapper around a core function and imports it in its
body, so that `loket --help` loads neither the database nor the complaint rules.
"""
