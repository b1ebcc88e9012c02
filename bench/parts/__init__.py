"""What is measured, one goal or a few of a kind a file; each can be run alone."""
