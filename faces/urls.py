from django.urls import path

from faces.api import curation, people, person, recluster, upkeep
from photos import converters  # noqa: F401 - brings “id” into paths

urlpatterns = [
    path("faces", people.faces, name="api-faces"),
    path("faces/<id:face_id>/thumbnail", people.face_thumbnail, name="api-face-thumbnail"),
    path("faces/<id:face_id>/assign-person", people.assign, name="api-face-assign"),
    path("faces/assign", curation.bulk_assign, name="api-faces-assign"),
    path("faces/<id:face_id>", curation.face_detail, name="api-face"),
    path("faces/<id:face_id>/confirm", curation.confirm, name="api-face-confirm"),
    path("faces/<id:face_id>/reject", curation.reject, name="api-face-reject"),
    path("faces/<id:face_id>/unassign", curation.unassign, name="api-face-unassign"),
    path("photos/<id:photo_id>/faces", curation.draw, name="api-photo-faces"),
    path("people/suggestions", curation.list_suggestions, name="api-suggestions"),
    path("people/suggestions/answer", curation.answer_suggestion, name="api-suggestion-answer"),
    path("people/journal", curation.journal, name="api-journal"),
    path("people/journal/<id:entry_id>/undo", curation.undo_entry, name="api-journal-undo"),
    path("people/recluster", recluster.recluster, name="api-recluster"),
    path("people/recluster/<uuid:job_id>/diff", recluster.recluster_diff, name="api-recluster-diff"),
    path("people/recluster/<uuid:job_id>/apply", recluster.recluster_apply, name="api-recluster-apply"),
    path("persons", people.persons, name="api-persons"),
    path("persons/<id:person_id>", person.person_detail, name="api-person"),
    path("persons/<id:person_id>/faces", people.person_faces, name="api-person-faces"),
    path("persons/<id:person_id>/split", person.split, name="api-person-split"),
    path("persons/<id:person_id>/merge", people.merge, name="api-person-merge"),
    path("persons/cleanup", upkeep.cleanup, name="api-persons-cleanup"),
    path("persons/rebuild-index", upkeep.rebuild_index, name="api-persons-rebuild-index"),
    path("search/by-person", people.search_by_person, name="api-search-by-person"),
    path("index/faces", people.index_faces, name="api-index-faces"),
    path("index/faces-cluster", people.cluster_faces, name="api-index-faces-cluster"),
]
