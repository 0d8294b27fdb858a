"""The film of a photo as an answer: that of a video, or the one inside or beside a photo."""

from asgiref.sync import sync_to_async
from django.http import HttpResponseBase
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from photos import media_keys
from photos.api.errors import BadRequest, Conflict, DecodeFailed
from photos.api.pictures import serve_or_404, serve_original
from photos.models import Photo
from photos.storages import renditions


async def film_answer(request: Request, photo: Photo) -> HttpResponseBase:
    """The film of a photo that the caller may see, or why there is none (the old API's codes)."""
    film = await sync_to_async(lambda: photo.film)()
    if film is None:
        if photo.is_video:
            raise NotFound("The video is not looked at yet; try again soon.", code="poster_pending")
        raise BadRequest("This is a photo that does not move, not a video.", code="not_a_video")
    if film.playback_status == Photo.Playback.NOT_NEEDED:
        return await serve_original(request, media_keys.original_item(film))
    if film.playback_status == Photo.Playback.PENDING:
        raise Conflict("The video is being converted; try again later.", code="transcode_in_progress")
    if film.playback_status == Photo.Playback.FAILED:
        raise DecodeFailed("The video cannot be converted; its steps say why.", code="transcode_failed")
    return await serve_or_404(
        request, renditions(), media_keys.playback_item(film), "file_not_found_on_storage"
    )
