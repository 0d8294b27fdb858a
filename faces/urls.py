from django.urls import path

from faces import api

urlpatterns = [
    path("faces", api.faces, name="api-faces"),
    path("faces/<int:face_id>/thumbnail", api.face_thumbnail, name="api-face-thumbnail"),
    path("faces/<int:face_id>/assign-person", api.assign, name="api-face-assign"),
    path("persons", api.persons, name="api-persons"),
    path("persons/<int:person_id>", api.person_detail, name="api-person"),
    path("persons/<int:person_id>/faces", api.person_faces, name="api-person-faces"),
    path("persons/<int:person_id>/merge", api.merge, name="api-person-merge"),
    path("search/by-person", api.search_by_person, name="api-search-by-person"),
    path("index/faces", api.index_faces, name="api-index-faces"),
    path("index/faces-cluster", api.cluster_faces, name="api-index-faces-cluster"),
]
