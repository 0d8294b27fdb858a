from django.urls import path

from search import api

urlpatterns = [
    path("search/photos", api.search_photos, name="api-search-photos"),
    path("index/embeddings", api.index_embeddings, name="api-index-embeddings"),
]
