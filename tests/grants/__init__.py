"""Refresh tokens that work once, against a real provider and a real database."""
