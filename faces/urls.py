from django.urls import path

from faces import api, curation_api, person_api, recluster_api, upkeep_api
from photos import converters  # noqa: F401 - brings “id” into paths

urlpatterns = [
    path("faces", api.faces, name="api-faces"),
    path("faces/<id:face_id>/thumbnail", api.face_thumbnail, name="api-face-thumbnail"),
    path("faces/<id:face_id>/assign-person", api.assign, name="api-face-assign"),
    path("faces/assign", curation_api.bulk_assign, name="api-faces-assign"),
    path("faces/<id:face_id>", curation_api.face_detail, name="api-face"),
    path("faces/<id:face_id>/confirm", curation_api.confirm, name="api-face-confirm"),
    path("faces/<id:face_id>/reject", curation_api.reject, name="api-face-reject"),
    path("faces/<id:face_id>/unassign", curation_api.unassign, name="api-face-unassign"),
    path("photos/<id:photo_id>/faces", curation_api.draw, name="api-photo-faces"),
    path("people/suggestions", curation_api.list_suggestions, name="api-suggestions"),
    path("people/suggestions/answer", curation_api.answer_suggestion, name="api-suggestion-answer"),
    path("people/journal", curation_api.journal, name="api-journal"),
    path("people/journal/<id:entry_id>/undo", curation_api.undo_entry, name="api-journal-undo"),
    path("people/recluster", recluster_api.recluster, name="api-recluster"),
    path("people/recluster/<uuid:job_id>/diff", recluster_api.recluster_diff, name="api-recluster-diff"),
    path("people/recluster/<uuid:job_id>/apply", recluster_api.recluster_apply, name="api-recluster-apply"),
    path("persons", api.persons, name="api-persons"),
    path("persons/<id:person_id>", person_api.person_detail, name="api-person"),
    path("persons/<id:person_id>/faces", api.person_faces, name="api-person-faces"),
    path("persons/<id:person_id>/split", person_api.split, name="api-person-split"),
    path("persons/<id:person_id>/merge", api.merge, name="api-person-merge"),
    path("persons/cleanup", upkeep_api.cleanup, name="api-persons-cleanup"),
    path("persons/rebuild-index", upkeep_api.rebuild_index, name="api-persons-rebuild-index"),
    path("search/by-person", api.search_by_person, name="api-search-by-person"),
    path("index/faces", api.index_faces, name="api-index-faces"),
    path("index/faces-cluster", api.cluster_faces, name="api-index-faces-cluster"),
]
