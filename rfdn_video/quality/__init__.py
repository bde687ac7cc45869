"""Finished pictures judged: measures against a reference, and pages to look at."""
