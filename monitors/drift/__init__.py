"""Drift: what changed between two contracts, or between answers, and what it means for a reader of responses."""
