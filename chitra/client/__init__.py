"""A client of Chitra's API for programs and the command line. Needs Python alone: no Django, no database.

from chitra.client import Client

with Client("https://photos.example.com", key="chitra_…") as client:
    for photo in client.photos(favorite=True):
        print(photo["name"])
"""

from chitra.client.api import Client, Photo, Uploaded
from chitra.client.transport import ApiError, Unreachable

__all__ = ["ApiError", "Client", "Photo", "Unreachable", "Uploaded"]
