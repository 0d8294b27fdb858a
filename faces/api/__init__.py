"""The REST API of people and faces."""
