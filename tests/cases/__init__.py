"""Each case of following a log without losing a line. docs/exactness.md has the table of them."""
