from django.urls import path

from photos import converters  # noqa: F401 - brings “id” into paths
from search import api, text_api

urlpatterns = [
    path("search/photos", api.search_photos, name="api-search-photos"),
    path("photos/<id:photo_id>/similar", api.similar_photos, name="api-photo-similar"),
    path("photos/<id:photo_id>/text", text_api.photo_text, name="api-photo-text"),
    path("index/embeddings", api.index_embeddings, name="api-index-embeddings"),
]
