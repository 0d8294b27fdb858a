"""The HTTP of resumable uploads: tus 1.0 with creation, termination, checksum and expiration (https://tus.io)."""

import base64
import binascii
import hashlib
import uuid
from tempfile import SpooledTemporaryFile
from typing import Any, ClassVar, cast

from adrf.decorators import api_view
from asgiref.sync import sync_to_async
from django.conf import settings
from django.urls import reverse
from django.utils.http import http_date
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import throttle_classes
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from jobs.rate_limits import UploadLimit
from photos import tus
from photos.api.library_choice import chosen_library
from photos.models import ResumableUpload
from photos.services import RejectedFile
from photos.storages.errors import StorageUnavailable
from photos.storages.objects import CHUNK_BYTES

VERSION = "1.0.0"
HASHES = {"sha256": hashlib.sha256, "sha1": hashlib.sha1}
CHECKED_BYTES = 64 * 1024 * 1024  # of a piece with a checksum, which is held back until it is whole
STATUS_OF_REJECTION = {"too_large": 413, "unsupported_type": 415}


class TusError(APIException):
    """An error answer with the protocol's header."""

    headers: ClassVar[dict[str, str]] = {"Tus-Resumable": VERSION}

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message, code=code)
        self.status_code = status


# Described by tus.io, not by the OpenAPI schema: its requests and answers are headers and bare bytes.
@extend_schema(exclude=True)
@api_view(["POST", "OPTIONS"])
@throttle_classes([UploadLimit])
async def uploads(request: Request) -> Response:
    """OPTIONS: what is offered. POST: announce a file (Upload-Length, Upload-Metadata with `filename`).

    `?library=` names the library, as for an upload in one go.
    """
    if request.method == "OPTIONS":
        return offer()
    check_version(request)
    return await sync_to_async(create)(request)


@extend_schema(exclude=True)
@api_view(["HEAD", "PATCH", "DELETE", "OPTIONS"])
async def upload(request: Request, upload_id: uuid.UUID) -> Response:
    """HEAD: how much is there. PATCH: go on from there. DELETE: forget it."""
    if request.method == "OPTIONS":
        return offer()
    check_version(request)
    return await sync_to_async(answer)(request, upload_id)


def offer() -> Response:
    headers = {
        "Tus-Resumable": VERSION,
        "Tus-Version": VERSION,
        "Tus-Extension": "creation,termination,checksum,expiration",
        "Tus-Checksum-Algorithm": ",".join(HASHES),
        "Tus-Max-Size": str(settings.MAX_UPLOAD_BYTES),
    }
    return Response(status=204, headers=headers)


def check_version(request: Request) -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise TusError(412, "tus_version", f"Send Tus-Resumable: {VERSION}.")


def create(request: Request) -> Response:
    size = header_number(request, "Upload-Length")
    name = metadata_of(request.headers.get("Upload-Metadata", "")).get("filename", "")
    library = chosen_library(request)
    try:
        made = tus.begin(library=library, user=request.user, size=size, name=name)
    except RejectedFile as error:
        raise as_tus_error(error) from None
    location = reverse("api-tus-upload", args=[made.pk])  # a path, right behind any proxy
    return Response(status=201, headers={**state_of(made), "Location": location})


def answer(request: Request, upload_id: uuid.UUID) -> Response:
    found = ResumableUpload.objects.filter(pk=upload_id, user=cast(Any, request.user))
    known = found.select_related("library", "user", "photo").first()
    if known is None:
        raise TusError(404, "upload_not_found", "There is no such upload; it may have expired. Begin anew.")
    try:
        if request.method == "DELETE":
            tus.terminate(known)
            return Response(status=204, headers={"Tus-Resumable": VERSION})
        if request.method == "PATCH":
            patch(request, known)
        elif known.is_complete:
            tus.finish(known)  # the answer to the last piece may have been lost
    except tus.OffsetConflict:
        raise TusError(409, "offset_conflict", "The piece does not begin where the upload stands.") from None
    except tus.TooManyBytes:
        raise TusError(413, "too_large", "More bytes came than Upload-Length said.") from None
    except (RejectedFile, StorageUnavailable) as error:
        raise as_tus_error(error) from None
    headers = {**state_of(known), "Cache-Control": "no-store"}
    return Response(status=204 if request.method == "PATCH" else 200, headers=headers)


def patch(request: Request, known: ResumableUpload) -> None:
    """Take the body of a PATCH."""
    if request.content_type != "application/offset+octet-stream":
        raise TusError(415, "unsupported_media_type", "Send application/offset+octet-stream.")
    offset = header_number(request, "Upload-Offset")
    checksum = request.headers.get("Upload-Checksum", "")
    if not checksum:
        tus.append(known, request._request, offset=offset)
        return
    with SpooledTemporaryFile(max_size=CHUNK_BYTES) as piece:
        spool_checked(request._request, piece, checksum)
        piece.seek(0)
        tus.append(known, piece, offset=offset)


def spool_checked(body: Any, piece: Any, header: str) -> None:
    """Copy a piece while hashing it; TusError 460 when it is not what the header says."""
    algorithm, _, text = header.partition(" ")
    if algorithm not in HASHES:
        raise TusError(400, "checksum_algorithm", f"Use one of {', '.join(HASHES)}.")
    running = HASHES[algorithm]()
    size = 0
    while data := body.read(CHUNK_BYTES):
        size += len(data)
        if size > CHECKED_BYTES:
            raise TusError(413, "too_large", "A piece with a checksum may have 64 MiB.")
        running.update(data)
        piece.write(data)
    if base64.b64encode(running.digest()).decode() != text.strip():
        raise TusError(460, "checksum_mismatch", "The piece came damaged. Send it again.")


def state_of(known: ResumableUpload) -> dict[str, str]:
    """The headers that tell how an upload stands; once it is complete, also which photo it became."""
    headers = {
        "Tus-Resumable": VERSION,
        "Upload-Offset": str(known.offset),
        "Upload-Length": str(known.size),
        "Upload-Expires": http_date(known.expires_at.timestamp()),
    }
    if known.photo_id is not None:
        headers["Chitra-Photo-Id"] = str(known.photo_id)
        headers["Chitra-Duplicate"] = "true" if known.is_duplicate else "false"
    return headers


def header_number(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise TusError(400, "invalid", f"Send {name} as a number of bytes.")
    return int(text)


def metadata_of(header: str) -> dict[str, str]:
    """Upload-Metadata: `key base64, key base64`. What cannot be read is left out."""
    found: dict[str, str] = {}
    for item in header.split(","):
        key, _, value = item.strip().partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    return found


def as_tus_error(error: RejectedFile | StorageUnavailable) -> TusError:
    if isinstance(error, RejectedFile):
        return TusError(STATUS_OF_REJECTION.get(error.code, 400), error.code, str(error))
    return TusError(507, "storage_unavailable", str(error))
