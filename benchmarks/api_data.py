"""What `benchmarks/api.py` asks for: a library of many rows, one photo with its files, and vectors."""

import io
import os
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

QUERY = "a dog"
ORIGINAL_BYTES = 3_000_000


def fill(photos: int) -> tuple[str, int]:
    """A user with a library of that many photos with all columns filled, one of them with its files, all with
    vectors; returns an API key and the id of the photo with files."""
    from django.db import connection

    from chitra.accounts.models import ApiKey, User
    from photos.models import Library, Photo

    user = User.objects.create_user("alice@example.org", "not-used-to-log-in")
    library = Library.objects.home_of(user)
    start = datetime(2015, 1, 1, tzinfo=UTC)
    rows = []
    for number in range(photos):
        name = uuid.uuid4()
        rows.append(
            Photo(
                library=library,
                uploaded_by=user,
                uuid=name,
                original_name=f"IMG_{number:05}.jpg",
                original_key=f"{library.pk}/{name.hex[:2]}/{name.hex}.jpg",
                checksum=name.hex * 2,
                sha1=(name.hex * 2)[:40],
                size=3_000_000 + number,
                mime_type="image/jpeg",
                width=4000,
                height=3000,
                thumbhash=os.urandom(24),
                perceptual_hash=number * 7919,
                has_renditions=True,
                taken_at=start + timedelta(hours=number * 7),
                taken_at_source=Photo.TakenAtSource.EXIF_ORIGINAL,
                latitude=47.3 + number / 10000,
                longitude=8.5,
                camera_make="Canon",
                camera_model="Canon EOS 80D",
            )
        )
    Photo.objects.bulk_create(rows)
    photo_id = add_files(library)
    add_vectors()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # which PostgreSQL does by itself, a minute later
    return ApiKey.issue(user, "benchmark")[1], photo_id


def add_files(library: Any) -> int:
    """A photo of ORIGINAL_BYTES with its renditions; its id."""
    from photos.services import ingest
    from photos.steps import RENDITIONS
    from photos.tests.pictures import jpeg

    picture = jpeg(1600, 1200)
    data = picture + os.urandom(ORIGINAL_BYTES - len(picture))
    photo = ingest(library=library, stream=io.BytesIO(data), name="whole.jpg").photo
    RENDITIONS.run([photo.pk])
    return int(photo.pk)


def add_vectors() -> None:
    """One vector of chance for each photo, and one for QUERY, as if it had been asked before."""
    from photos.models import Photo
    from search import services

    generator = np.random.default_rng(7)
    photos = list(Photo.objects.all())
    choice = services.encoder_choice()
    vectors = generator.standard_normal((len(photos) + 1, choice.dimensions), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    services.save_embeddings(photos, vectors[1:], choice)
    services.keep_query(services.Query(QUERY, vectors[0], cutoff=0.0))
