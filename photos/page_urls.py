from django.urls import path

from photos import views

urlpatterns = [
    path("", views.timeline, name="timeline"),
    path("months", views.timeline_months, name="months"),
    path("photos/tiles", views.tiles, name="tiles"),
    path("photos/<int:photo_id>", views.photo, name="photo"),
    path("photos/<int:photo_id>/steps", views.photo_steps, name="photo-steps"),
    path("photos/<int:photo_id>/steps/<str:step>/retry", views.retry_step, name="retry-step"),
    path("photos/<int:photo_id>/trash", views.trash_photo, name="trash-photo"),
    path("photos/<int:photo_id>/restore", views.restore_photo, name="restore-photo"),
    path("trash", views.trash, name="trash"),
    path("upload", views.upload, name="upload"),
]
