"""The REST API of photos: list, detail, bytes, upload, scan."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast
from urllib.parse import quote

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import parser_classes, permission_classes, throttle_classes
from rest_framework.exceptions import APIException, NotFound, ParseError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from jobs import ledger
from jobs.looks import seen_by
from jobs.loop_views import on_event_loop
from jobs.models import StepStatus
from jobs.rate_limits import UploadLimit
from jobs.services import step_counts
from jobs.unchanged import KeptAnswers
from photos import bulk, editing, jpeg, media_keys, schemas, serving
from photos.api_errors import (
    BadRequest,
    DecodeFailed,
    InsufficientStorage,
    TooLargeToTake,
    Unavailable,
    Unprocessable,
    UnsupportedContent,
    validated,
)
from photos.cursors import page_after
from photos.edit_fields import PHOTO_COLUMNS, PhotoChanges
from photos.filter_fields import PhotoListParameters, filter_from
from photos.filters import PhotoFilter
from photos.imaging import UndecodableImage
from photos.importing import BadFolder, import_folder, inside_scan_roots
from photos.keeping import Ingested, Origin
from photos.library_choice import LibraryParameters, chosen_library
from photos.models import Photo, PhotoStep
from photos.permissions import IsAdministrator
from photos.pictures import Picture
from photos.serializers import (
    ImageParameters,
    ScanBody,
    StorageParameters,
    UploadParameters,
    photos_as_json,
)
from photos.services import RejectedFile
from photos.statements import PageStatement, find_json, find_picture
from photos.storage_errors import StorageUnavailable
from photos.storages import originals, renditions
from photos.timeline import BadCursor
from photos.upload_handler import IngestingHandler, TakenFile

logger = logging.getLogger(__name__)

NOT_ASKED_FOR = "Uploaded with auto_process=false. Index faces or embeddings to do it after all."
BYTES = {
    (200, "application/octet-stream"): OpenApiTypes.BINARY,
    (200, "image/*"): OpenApiTypes.BINARY,
    (200, "video/*"): OpenApiTypes.BINARY,
    302: None,
    503: None,
}
PICTURES = {(200, "image/webp"): OpenApiTypes.BINARY, (200, "image/jpeg"): OpenApiTypes.BINARY, 503: None}
kept_pages = KeptAnswers()
REJECTIONS = {"too_large": TooLargeToTake, "unsupported_type": UnsupportedContent}


@extend_schema(
    operation_id="photos_list",
    summary="List photos",
    parameters=[PhotoListParameters],
    responses=schemas.PhotoPage,
)
@on_event_loop
@api_view(["GET", "HEAD"])
async def list_photos(request: Request) -> HttpResponse:
    """Photos, newest first by capture time: `{items, limit, offset, total}`.

    With `cursor`, empty for the first page, photos that arrive meanwhile shift nothing, and no page costs
    more than another: `{items, limit, next_cursor}`.
    """
    asked = (request.user.pk, request.META["QUERY_STRING"])
    if asked in kept_pages and (kept := kept_pages.find(await seen_by(request), asked)):
        return json_answer(kept)
    values = validated(PhotoListParameters, request.query_params)
    wanted = filter_from(values)
    if "cursor" in values:
        photos = wanted.apply(Photo.objects.visible_to(request.user))
        return await sync_to_async(cursor_page)(photos, values["cursor"], values["limit"])
    statement = timeline_of(request.user, wanted)
    body, snapshot = await statement.fetch(limit=values["limit"], offset=values["offset"])
    kept_pages.keep(snapshot, asked, page := body.encode())
    return json_answer(page)


def json_answer(body: str | bytes) -> HttpResponse:
    """JSON that is written already."""
    return HttpResponse(body, content_type="application/json")


def cursor_page(photos: Any, cursor: str, limit: int) -> HttpResponse:
    try:
        page = page_after(photos, cursor, limit=limit)
    except BadCursor as error:
        raise Unprocessable({"cursor": [str(error)]}) from None
    following = json.dumps(page.next_cursor)
    body = f'{{"items":[{",".join(page.items)}],"limit":{limit},"next_cursor":{following}}}'
    return json_answer(body)


@lru_cache(maxsize=1000)
def timeline_of(user: Any, wanted: PhotoFilter) -> PageStatement:
    """The query is the same as long as user and filter are: membership is looked up when it runs."""
    return PageStatement.of(wanted.apply(Photo.objects.visible_to(user)).newest_first())


@extend_schema(summary="Progress of the steps", responses=schemas.Progress)
@api_view(["GET", "HEAD"])
def progress(request: Request) -> Response:
    """How many of the visible photos are in which state of each step: `{steps: {name: {status: count}}}`."""
    rows = PhotoStep.objects.visible_to(request.user).filter(photo__deleted_at__isnull=True)
    return Response({"steps": step_counts(rows)})


@extend_schema(methods=["GET"], summary="One photo", responses=schemas.PhotoObject)
@extend_schema(methods=["DELETE"], summary="Move a photo to the trash", responses={200: schemas.DeletedPhoto})
@extend_schema(
    methods=["PATCH"], summary="Change a photo", request=PhotoChanges, responses=schemas.PhotoObject
)
@on_event_loop
@api_view(["GET", "HEAD", "PATCH", "DELETE"])
async def photo_detail(request: Request, photo_id: int) -> HttpResponse:
    """GET: the photo. PATCH: what people say about it; what is left out stays. DELETE: into the trash, where
    it can be brought back from for 30 days.
    """
    if request.method == "DELETE":
        return await sync_to_async(delete_photo)(request.user, photo_id)
    if request.method == "PATCH":
        changes = validated(PhotoChanges, request.data)
        await sync_to_async(change_photo)(request.user, photo_id, changes)
    found = await find_json(request.user, photo_id)
    if found is None:
        raise photo_not_found()
    return json_answer(found)


def photo_answer(user: Any, photo_id: int) -> HttpResponse:
    found = photos_as_json(Photo.objects.visible_to(user).filter(pk=photo_id))
    if not found:
        raise photo_not_found()
    return json_answer(found[0])


def change_photo(user: Any, photo_id: int, changes: dict[str, Any]) -> None:
    """Marks are set; what the file could say as well is a correction, which locks it."""
    chosen = Photo.objects.editable_by(user).filter(pk=photo_id)
    photo = chosen.select_related("library").first()
    if photo is None:
        raise photo_not_found()
    said = {name: value for name, value in changes.items() if name in Photo.Editable.values}
    marks = {PHOTO_COLUMNS.get(name, name): changes[name] for name in changes if name not in said}
    with transaction.atomic():
        if said:
            editing.edit_photo(photo=photo, actor=user, values=said)
        if marks:
            bulk.set_values(chosen, **marks)


def delete_photo(user: Any, photo_id: int) -> Response:
    if not bulk.trash(Photo.objects.editable_by(user).filter(pk=photo_id)):
        raise photo_not_found()
    return Response({"message": "Photo deleted successfully", "photo_id": photo_id})


@extend_schema(
    summary="The original",
    parameters=[ImageParameters],
    responses=BYTES,
)
@on_event_loop
@api_view(["GET", "HEAD"])
async def photo_image(request: Request, photo_id: int) -> HttpResponseBase:
    """The original, byte for byte; `?download=1` names the file."""
    wanted = validated(ImageParameters, request.query_params) if request.query_params else {}
    picture = await get_picture(request.user, photo_id)
    item = media_keys.original_item(picture, download=wanted.get("download") == "1")
    return await serve_original(request, item)


async def serve_original(request: Request, item: serving.Item) -> HttpResponseBase:
    storage = originals()
    if hasattr(storage, "ensure"):  # while a migration runs: bring it from the old server first
        await sync_to_async(storage.ensure)(item.key)
    return await serve_or_404(request, storage, item, "file_not_found_on_storage")


@extend_schema(summary="The thumbnail", responses=PICTURES)
@on_event_loop
@api_view(["GET", "HEAD"])
async def photo_thumbnail(request: Request, photo_id: int) -> HttpResponseBase:
    """WebP, or JPEG for who does not accept that, at most 480 pixels a side; grey while it is being made."""
    return await serve_rendition(request, photo_id, "thumbnail")


@extend_schema(summary="The preview", responses=PICTURES)
@on_event_loop
@api_view(["GET", "HEAD"])
async def photo_preview(request: Request, photo_id: int) -> HttpResponseBase:
    """WebP, or JPEG for who does not accept that, at most 1600 pixels a side."""
    return await serve_rendition(request, photo_id, "preview")


async def serve_rendition(request: Request, photo_id: int, kind: str) -> HttpResponseBase:
    picture = await get_picture(request.user, photo_id)
    if not picture.has_renditions:
        return await sync_to_async(without_rendition)(photo_id, kind)
    item = media_keys.rendition_item(picture, kind)
    return await serve_picture(request, item, "thumbnail_not_found_on_storage")


def without_rendition(photo_id: int, kind: str) -> HttpResponse:
    """A placeholder while the thumbnail is being made. Raises DecodeFailed, or NotFound for a preview."""
    failed = PhotoStep.objects.filter(photo_id=photo_id, step="renditions", status=StepStatus.FAILED).first()
    if failed is not None:
        raise DecodeFailed(failed.error)
    if kind != "thumbnail":
        raise NotFound(f"The {kind} is not made yet. Try again soon.", code="thumbnail_pending")
    return jpeg.placeholder()


async def serve_picture(request: Request, item: serving.Item, code: str) -> HttpResponseBase:
    """A rendition, in a format that the client accepts; 404 with `code` when it is gone."""
    serve = serving.serve if jpeg.accepts_webp(request) else jpeg.serve
    with or_404(item, code):
        response = await serve(request._request, renditions(), item)
    patch_vary_headers(response, ["Accept"])
    return response


@extend_schema(
    summary="A file by its key",
    parameters=[StorageParameters],
    responses={**BYTES, **PICTURES},
)
@api_view(["GET", "HEAD"])
async def storage_object(request: Request, key: str) -> HttpResponseBase:
    """An object by its key, if it belongs to a photo that the caller may see.

    Keys of the old server's thumbnails, which end in .jpg, answer WebP, or JPEG for who does not accept that.
    """
    if request.query_params:
        validated(StorageParameters, request.query_params)
    media = await sync_to_async(media_keys.find_media)(request.user, key)
    if media is None:
        raise NotFound("There is no such file.", code="file_not_found")
    if media.storage == "originals":
        return await serve_original(request, media.item)
    if key.endswith(".jpg"):
        return await serve_picture(request, media.item, "file_not_found")
    return await serve_or_404(request, renditions(), media.item, "file_not_found")


async def serve_or_404(request: Request, storage: Any, item: serving.Item, code: str) -> HttpResponseBase:
    with or_404(item, code):
        return await serving.serve(request._request, storage, item)


@contextmanager
def or_404(item: serving.Item, code: str) -> Iterator[None]:
    """404 with `code` when the object is gone, 422 for a broken one, 503 when the storage does not answer."""
    try:
        yield
    except FileNotFoundError:
        raise NotFound(
            "The file is not in the storage; health and check_files say more.", code=code
        ) from None
    except UndecodableImage as error:
        raise DecodeFailed(f"{item.key} is damaged; check_files makes it anew. {error}") from None
    except OSError as error:
        logger.error("%s cannot be read: %s", item.key, error)
        raise Unavailable(
            "The storage does not answer; health says more.", code="storage_unavailable"
        ) from None


async def get_picture(user: Any, photo_id: int) -> Picture:
    """A photo's files, or 404 also for somebody else's."""
    picture = await find_picture(user, photo_id)
    if picture is None:
        raise photo_not_found()
    return picture


def photo_not_found() -> NotFound:
    return NotFound("There is no such photo.", code="photo_not_found")


@extend_schema(
    summary="Upload photos",
    parameters=[UploadParameters, LibraryParameters],
    request={"multipart/form-data": schemas.UploadForm},
    responses={200: schemas.UploadAnswer, 507: None},
)
@api_view(["POST"])
@parser_classes([MultiPartParser])
@throttle_classes([UploadLimit])
async def upload(request: Request) -> Response:
    """Take the files sent as `file` or `files`; answers when their bytes and rows are durable.

    With `auto_process=false`, in query or form, they are not searched for faces and cannot be found by what
    they show, until index/faces and index/embeddings ask for it.
    """
    return await sync_to_async(take_upload)(request)


def take_upload(request: Request) -> Response:
    validated(UploadParameters, request.query_params)  # before any file is taken
    library = chosen_library(request)  # from the address: files are stored while the form is read
    handler = IngestingHandler(lambda name: Origin(library, name, request.user))
    request._request.upload_handlers = [handler]
    try:
        files = [*request.FILES.getlist("file"), *request.FILES.getlist("files")]
    except RequestDataTooBig:
        handler.upload_interrupted()
        raise TooLargeToTake("A field of the form that is no file is too large.", code="too_large") from None
    except SuspiciousOperation:
        handler.upload_interrupted()
        raise ParseError from None
    except BaseException:
        handler.upload_interrupted()
        raise
    if not files:
        raise no_files(request)
    answer = upload_answer(cast(list[TakenFile], files))
    if not wants_processing(request):
        ledger.leave_out([entry["id"] for entry in answer["saved"]], cluster="ml", reason=NOT_ASKED_FOR)
    return Response(answer)


def upload_answer(files: list[TakenFile]) -> dict[str, Any]:
    """`{saved, duplicates?, errors?}`. A single file that is refused is an error of its own.

    Of several, all may be refused: old clients then expect 200 with nothing in `saved` and all reasons.
    """
    saved: list[dict[str, Any]] = []
    duplicates: list[dict[str, Any]] = []
    errors: list[str] = []
    for file in files:
        outcome = file.outcome
        if isinstance(outcome, Ingested):
            (duplicates if outcome.is_duplicate else saved).append(describe(outcome))
            continue
        if not isinstance(outcome, RejectedFile | StorageUnavailable):
            raise outcome or RuntimeError("an upload was answered before its end")
        if len(files) == 1:
            raise as_api_error(outcome) from None
        errors.append(rejection_line(file.name or "", outcome))
    if not saved and not duplicates and isinstance(files[0].outcome, StorageUnavailable):
        raise as_api_error(files[0].outcome)
    return {
        "saved": saved,
        **({"duplicates": duplicates} if duplicates else {}),
        **({"errors": errors} if errors else {}),
    }


def as_api_error(error: RejectedFile | StorageUnavailable) -> APIException:
    """The HTTP answer to a file that is not taken."""
    if isinstance(error, RejectedFile):
        return REJECTIONS.get(error.code, BadRequest)(str(error), code=error.code)
    return InsufficientStorage(str(error))


def no_files(request: Request) -> BadRequest:
    """400, with the code that tells apart a form without the fields and one whose fields are no files."""
    is_named = "file" in request.POST or "files" in request.POST
    message = "Send the photos as multipart form data under “file” or “files”, each with its file name."
    return BadRequest(message, code="no_valid_files" if is_named else "no_files")


def wants_processing(request: Request) -> bool:
    """`auto_process` of the query and of the form: either can turn it off."""
    return all(
        validated(UploadParameters, values)["auto_process"] for values in (request.query_params, request.POST)
    )


def rejection_line(name: str, error: RejectedFile | StorageUnavailable) -> str:
    """An entry of `errors`, as the old API words it."""
    is_empty = isinstance(error, RejectedFile) and error.code == "empty_file"
    return f"{name}: Empty file: {name}" if is_empty else f"{name}: {error}"


def describe(ingested: Ingested) -> dict[str, Any]:
    """An entry of `saved` or `duplicates`, as the old API answers it."""
    photo = ingested.photo
    if ingested.is_duplicate:
        return {
            "id": photo.pk,
            "file_path": photo.original_key,
            "duplicate": True,
            "message": f"Duplicate photo detected (same checksum as photo #{photo.pk})",
        }
    thumbnail = photo.rendition_key("thumbnail")
    return {
        "id": photo.pk,
        "file_path": photo.original_key,
        "storage_url": f"/api/storage/{quote(photo.original_key)}",
        "thumbnail": thumbnail,
        "thumbnail_url": f"/api/storage/{quote(thumbnail)}",
        "checksum": photo.sha1,
        "sha256": photo.checksum,
        "media_type": "photo",
        "transcode_status": None,
    }


@extend_schema(
    summary="Import a folder of the server",
    parameters=[LibraryParameters],
    request=ScanBody,
    responses={200: schemas.ScanAnswer, 507: None},
)
@api_view(["POST"])
@permission_classes([IsAdministrator])
async def scan_path(request: Request) -> Response:
    """Import a folder on the server, inside CHITRA_SCAN_ROOTS: `{root, processed}`."""
    if not str(request.data.get("root", "")).strip():
        raise BadRequest("Send the folder as “root”.", code="missing_root")
    root = validated(ScanBody, request.data)["root"]
    return await sync_to_async(scan)(request, root)


def scan(request: Request, root: str) -> Response:
    library = chosen_library(request, request.data)
    try:
        folder = inside_scan_roots(root)
    except BadFolder as error:
        raise BadRequest(str(error), code="root_not_found") from None
    try:
        report = import_folder(library=library, root=folder, user=request.user)
    except StorageUnavailable as error:
        raise as_api_error(error) from None
    return Response(
        {
            "root": str(folder),
            "processed": report.processed,
            "imported": report.imported,
            "duplicates": report.duplicates,
            "skipped": [{"path": path, "reason": reason} for path, reason in report.skipped],
            "failed": [{"path": path, "reason": reason} for path, reason in report.failed],
        }
    )
