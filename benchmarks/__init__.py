"""Benchmarks for the claims about speed and reliability."""
