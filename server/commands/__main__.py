"""`python -m server.commands`: the `loket` command, where it is not installed."""

from server.cli import main

if __name__ == "__main__":
    main()
