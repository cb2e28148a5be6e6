"""How many threads the numeric libraries start.

torch, faiss and numpy's OpenBLAS each keep a pool of threads that wait busily for one another's cores. One question is
too small to be worth any: with one thread each, an answer over 36,529 passages took 30 ms (p50), with two 62 ms,
and on a busy machine the difference was tenfold. Building sets torch's own number again.
"""

import os


def prefer_one_thread() -> None:
    """Ask for one thread each, unless the environment says otherwise; before these libraries are imported."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
