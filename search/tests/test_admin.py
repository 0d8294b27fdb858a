"""Encoders and vectors in the admin."""

import pytest
from django.test import Client
from django.urls import reverse

from photos.models import Library
from photos.tests.test_admin import act, count_queries, make_photos
from search.models import EncoderVersion, PhotoEmbedding, PhotoText, TextEmbedding


@pytest.fixture
def encoder(db: None) -> EncoderVersion:
    return EncoderVersion.objects.create(version="open_clip:ViT-B-32/laion2b_s34b_b79k:1", dimensions=3)


def embed(encoder: EncoderVersion, count: int) -> None:
    photos = make_photos(Library.objects.create(name="Family"), count)
    PhotoEmbedding.objects.bulk_create(
        PhotoEmbedding(photo=photo, encoder=encoder, vector=[1, 0, 0]) for photo in photos
    )
    TextEmbedding.objects.bulk_create(
        TextEmbedding(encoder=encoder, text=f"dog {photo.pk}", vector=[1, 0, 0], cutoff=0.5)
        for photo in photos
    )
    for photo in photos:
        PhotoText.keep(photo, [{"text": "TOTAL 12.50", "box": [0, 0, 1, 0.1], "score": 0.9}], "test:1")


@pytest.mark.parametrize(
    "url_name",
    [
        "admin:search_encoderversion_changelist",
        "admin:search_photoembedding_changelist",
        "admin:search_textembedding_changelist",
        "admin:search_phototext_changelist",
    ],
)
def test_a_longer_list_costs_no_more_queries(
    admin_client: Client, encoder: EncoderVersion, url_name: str
) -> None:
    embed(encoder, 2)
    few = count_queries(admin_client, reverse(url_name))
    embed(encoder, 28)
    assert count_queries(admin_client, reverse(url_name)) == few
    assert few <= 7


def test_an_encoder_is_listed_with_its_number_of_vectors(
    admin_client: Client, encoder: EncoderVersion
) -> None:
    embed(encoder, 3)
    page = admin_client.get(reverse("admin:search_encoderversion_changelist")).text
    assert encoder.version in page
    assert '<td class="field-vectors">3</td>' in page


def test_an_embedding_is_shown_without_its_vector(admin_client: Client, encoder: EncoderVersion) -> None:
    embed(encoder, 1)
    embedding = PhotoEmbedding.objects.get()
    page = admin_client.get(reverse("admin:search_photoembedding_change", args=[embedding.pk])).text
    assert f"/api/photos/{embedding.photo_id}/thumbnail" in page
    assert "vector" not in page


def test_remembered_queries_may_be_deleted(admin_client: Client, encoder: EncoderVersion) -> None:
    embed(encoder, 2)
    url = "admin:search_textembedding_changelist"
    assert "Are you sure" in act(admin_client, url, "delete_selected", list(TextEmbedding.objects.all()))
