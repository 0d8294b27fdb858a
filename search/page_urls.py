from django.urls import path

from search import similar_views, text_views, views

urlpatterns = [
    path("search", views.search, name="search"),
    path("search/filters", views.filters, name="search-filters"),
    path("search/prepare", views.prepare, name="prepare-search"),
    path("photos/<int:photo_id>/text", text_views.photo_text, name="photo-text"),
    path("photos/<int:photo_id>/similar", similar_views.similar_photos, name="similar-photos"),
]
