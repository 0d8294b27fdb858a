from django.urls import path

from photos import api, tus_api

urlpatterns = [
    path("photos", api.list_photos, name="api-photos"),
    path("photos/progress", api.progress, name="api-progress"),
    path("photos/upload", api.upload, name="api-upload"),
    path("photos/scan-path", api.scan_path, name="api-scan-path"),
    path("photos/<int:photo_id>", api.photo_detail, name="api-photo"),
    path("photos/<int:photo_id>/image", api.photo_image, name="api-photo-image"),
    path("photos/<int:photo_id>/thumbnail", api.photo_thumbnail, name="api-photo-thumbnail"),
    path("photos/<int:photo_id>/preview", api.photo_preview, name="api-photo-preview"),
    path("uploads", tus_api.uploads, name="api-tus"),
    path("uploads/<uuid:upload_id>", tus_api.upload, name="api-tus-upload"),
    path("storage/<path:key>", api.storage_object, name="api-storage"),
]
