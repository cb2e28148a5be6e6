"""The searchable index of one audience, and the generations it comes in."""

from qa.index.contract import PassageIndex, Ranking
from qa.index.faiss_index import FaissIndex, open_index
from qa.index.generations import current_generation

__all__ = ["FaissIndex", "PassageIndex", "Ranking", "current_generation", "open_index"]
