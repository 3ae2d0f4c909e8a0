"""Reads pictures: a classifier trained on rendered scenes alone, and what its answers are worth."""
