from django.urls import path

from chitra.sources import import_views, views

urlpatterns = [
    path("folders", views.folders, name="folders"),
    path("folders/add", views.add_folder, name="add-folder"),
    path("folders/<int:folder_id>", views.edit_folder, name="folder"),
    path("folders/<int:folder_id>/scan", views.scan_now, name="scan-folder"),
    path("folders/<int:folder_id>/stop", views.stop_scan, name="stop-scan"),
    path("folders/<int:folder_id>/delete", views.delete_folder, name="delete-folder"),
    path("imports", import_views.imports, name="imports"),
    path("imports/<uuid:job_id>/report", import_views.import_report, name="import-report"),
]
