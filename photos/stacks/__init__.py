"""Photos of one shot: which belong together, and which one stands for all."""
