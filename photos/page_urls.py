from django.urls import path

from photos import (
    album_views,
    date_views,
    editing_views,
    place_views,
    views,
)

urlpatterns = [
    path("", views.timeline, name="timeline"),
    path("months", views.timeline_months, name="months"),
    path("photos/tiles", views.tiles, name="tiles"),
    path("photos/<int:photo_id>", views.photo, name="photo"),
    path("photos/<int:photo_id>/steps", views.photo_steps, name="photo-steps"),
    path("photos/<int:photo_id>/steps/<str:step>/retry", views.retry_step, name="retry-step"),
    path("photos/<int:photo_id>/details", editing_views.details, name="photo-details"),
    path("photos/<int:photo_id>/unlock/<str:field>", editing_views.unlock, name="unlock-field"),
    path("dates", date_views.dates, name="dates"),
    path("dates/<int:library_id>/<str:key>", date_views.apply, name="apply-dates"),
    path("edits/<int:edit_id>/undo", editing_views.undo, name="undo-edit"),
    path("photos/<int:photo_id>/trash", views.trash_photo, name="trash-photo"),
    path("photos/<int:photo_id>/restore", views.restore_photo, name="restore-photo"),
    path("photos/<int:photo_id>/albums", album_views.photo_albums, name="photo-albums"),
    path("photos/<int:photo_id>/albums/put", album_views.put_into_album, name="put-into-album"),
    path("albums", album_views.album_list, name="albums"),
    path("albums/<int:album_id>", album_views.album, name="album"),
    path("albums/<int:album_id>/rename", album_views.rename_album, name="rename-album"),
    path("albums/<int:album_id>/delete", album_views.delete_album, name="delete-album"),
    path("trash", views.trash, name="trash"),
    path("libraries/<int:library_id>/time-zone", views.set_time_zone, name="set-time-zone"),
    path("places", place_views.places, name="places"),
    path("places/<str:code>", place_views.place, name="country"),
    path("places/<str:code>/<path:city>", place_views.place, name="city"),
    path("upload", views.upload, name="upload"),
]
