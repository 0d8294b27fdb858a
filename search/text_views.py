"""The text in a photo, on its page."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from photos.models import Photo
from search.models import PhotoText


@login_required
@require_GET
def photo_text(request: HttpRequest, photo_id: int) -> HttpResponse:
    """The lines that are to be read in a photo, and boxes around them over it."""
    photo = get_object_or_404(Photo.objects.visible_to(request.user).only("pk"), pk=photo_id)
    read = PhotoText.objects.filter(photo=photo).only("lines").first()
    return render(request, "search/_photo_text.html", {"lines": read.lines if read else []})
