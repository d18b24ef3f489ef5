"""Against an OAuth server that is not Python: what one library on both sides would hide."""
