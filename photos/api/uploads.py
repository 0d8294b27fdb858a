"""The REST API of what comes in: uploads, and folders of the server."""

from typing import Any, cast
from urllib.parse import quote

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import parser_classes, permission_classes, throttle_classes
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from jobs import ledger
from jobs.rate_limits import UploadLimit
from photos.api import schemas
from photos.api.errors import (
    BadRequest,
    InsufficientStorage,
    TooLargeToTake,
    Unprocessable,
    UnsupportedContent,
    validated,
)
from photos.api.library_choice import LibraryParameters, chosen_library
from photos.api.serializers import ScanBody, UploadParameters
from photos.importing import BadFolder, import_folder, inside_scan_roots
from photos.keeping import Ingested, Origin
from photos.permissions import IsAdministrator
from photos.services import RejectedFile
from photos.storages.errors import StorageUnavailable
from photos.upload_handler import IngestingHandler, TakenFile

NOT_ASKED_FOR = (
    "Uploaded with auto_process=false. Retry the step, or index faces or embeddings, to do it after all."
)
NO_FLAG = "auto_process: “true” and “false” are meant by it. The photos are kept and processed."
REJECTIONS = {"too_large": TooLargeToTake, "unsupported_type": UnsupportedContent}


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
    they show, until index/faces and index/embeddings ask for it. What is neither true nor false is 422 in the
    query, where it is read before the files are taken, and one of `errors` in the form.
    """
    return await sync_to_async(take_upload)(request)


def take_upload(request: Request) -> Response:
    wants_processing = validated(UploadParameters, request.query_params)["auto_process"]
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
    try:
        wants_processing &= validated(UploadParameters, request.POST)["auto_process"]
    except Unprocessable:  # told so now, when the photos are kept, the client would send them again
        answer["errors"] = [*answer.get("errors", ()), NO_FLAG]
    if not wants_processing:
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
    poster = None if photo.is_video else photo.rendition_key("thumbnail")  # a video's is taken from it later
    return {
        "id": photo.pk,
        "file_path": photo.original_key,
        "storage_url": f"/api/storage/{quote(photo.original_key)}",
        "thumbnail": poster,
        "thumbnail_url": poster and f"/api/storage/{quote(poster)}",
        "checksum": photo.sha1,
        "sha256": photo.checksum,
        "media_type": photo.media_type,
        "transcode_status": "pending" if photo.is_video else None,
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
