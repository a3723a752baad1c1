"""Paging streams and who of them is heard."""
