"""`python -m qa` is the command `clinic-qa`."""

from qa.cli import main

if __name__ == "__main__":
    main(prog_name="clinic-qa")
