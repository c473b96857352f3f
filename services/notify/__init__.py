"""Renders, signs, sends and reports mail."""
