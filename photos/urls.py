from django.urls import path

from photos import (
    api,
    converters,  # noqa: F401 - brings “id” into paths
    duplicates_api,
    tags_api,
    tus_api,
)

urlpatterns = [
    path("photos", api.list_photos, name="api-photos"),
    path("photos/progress", api.progress, name="api-progress"),
    path("photos/upload", api.upload, name="api-upload"),
    path("photos/scan-path", api.scan_path, name="api-scan-path"),
    path("photos/<id:photo_id>", api.photo_detail, name="api-photo"),
    path("photos/<id:photo_id>/image", api.photo_image, name="api-photo-image"),
    path("photos/<id:photo_id>/thumbnail", api.photo_thumbnail, name="api-photo-thumbnail"),
    path("photos/<id:photo_id>/preview", api.photo_preview, name="api-photo-preview"),
    path("photos/<id:photo_id>/tags", tags_api.photo_tags, name="api-photo-tags"),
    path("tags", tags_api.tags, name="api-tags"),
    path("search/by-tag", tags_api.search_by_tag, name="api-search-by-tag"),
    path("duplicates", duplicates_api.duplicates, name="api-duplicates"),
    path("uploads", tus_api.uploads, name="api-tus"),
    path("uploads/<uuid:upload_id>", tus_api.upload, name="api-tus-upload"),
    path("storage/<path:key>", api.storage_object, name="api-storage"),
]
