"""What was measured about a face, as people read it."""

from django.contrib import admin

from faces.models import Face


@admin.display(description="detection score", ordering="detection_score")
def detection_score(face: Face) -> str:
    return f"{face.detection_score:.2f}"


@admin.display(description="quality", ordering="quality")
def quality(face: Face) -> str:
    return f"{face.quality:.2f}"
