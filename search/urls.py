from django.urls import path

from photos import converters  # noqa: F401 - brings “id” into paths
from search import api

urlpatterns = [
    path("search/photos", api.search_photos, name="api-search-photos"),
    path("photos/<id:photo_id>/similar", api.similar_photos, name="api-photo-similar"),
    path("index/embeddings", api.index_embeddings, name="api-index-embeddings"),
]
