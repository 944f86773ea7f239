"""Screens of the machine for the admin: its disks, settings and log, and the server's restart."""
