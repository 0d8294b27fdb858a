from django.urls import path

from faces import views

urlpatterns = [
    path("people", views.people, name="people"),
    path("people/<int:person_id>", views.person, name="person"),
    path("people/<int:person_id>/name", views.rename, name="rename-person"),
    path("people/<int:person_id>/merge", views.merge, name="merge-person"),
    path("people/<int:person_id>/hide", views.hide, name="hide-person"),
    path("photos/<int:photo_id>/faces", views.photo_faces, name="photo-faces"),
    path("faces/<int:face_id>/name", views.name_one_face, name="name-face"),
]
