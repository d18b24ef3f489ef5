"""Many processes with many threads each that call one API through one Redis."""
