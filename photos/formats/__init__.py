"""Files of each kind: told apart, opened, decoded and brought to what a browser shows."""
