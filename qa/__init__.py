"""Clinic Q&A: cited passages from a clinic's own documents, for patients and staff."""

__version__ = "0.1.0"
