"""`python -m server`: the core server and its SSH door."""

from server.cli import main

if __name__ == "__main__":
    import sys

    main(["serve", *sys.argv[1:]])
