"""Fitting confidence to a clinic's own documents, without labels from the clinic."""

from qa.calibrate.run import Uncalibrated, calibrate, made_for

__all__ = ["Uncalibrated", "calibrate", "made_for"]
