"""Build the index: the same as `clinic-qa build`, for those who look for a script."""

from qa.cli import build

if __name__ == "__main__":
    build(prog_name="build_index.py")
