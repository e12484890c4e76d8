"""``python -m latentcut``: the command line, also under torchrun."""

from latentcut.cli.app import main

if __name__ == "__main__":
    main()
