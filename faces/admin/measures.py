"""What was measured about a face, as people read it."""

from django.contrib import admin

from faces.models import Face


class Measures:
    """Columns with two digits; the others say nothing."""

    @admin.display(description="detection score", ordering="detection_score")
    def score(self, face: Face) -> str:
        return f"{face.detection_score:.2f}"

    @admin.display(description="quality", ordering="quality")
    def rounded_quality(self, face: Face) -> str:
        return f"{face.quality:.2f}"
