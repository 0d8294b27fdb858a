from django.urls import path

from search import views

urlpatterns = [
    path("search", views.search, name="search"),
    path("search/filters", views.filters, name="search-filters"),
    path("search/prepare", views.prepare, name="prepare-search"),
]
