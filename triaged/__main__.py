"""`python -m triaged`: the command line, nothing else."""

from triaged.cli.main import main

if __name__ == "__main__":
    main()
