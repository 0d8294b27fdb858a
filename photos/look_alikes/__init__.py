"""Photos that look alike: hashes, how they are found, and who is like whom."""
