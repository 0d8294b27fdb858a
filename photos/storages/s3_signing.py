"""Signatures over bodies whose SHA-256 the request tells already, which botocore would compute once more."""

import base64
from typing import Any

from botocore.auth import AUTH_TYPE_MAPS, S3SigV4Auth

SIGNATURE = "s3v4-known-body"
OPERATIONS = ("PutObject", "UploadPart")


class KnownBody(S3SigV4Auth):  # type: ignore[misc]  # botocore has no types
    """Signature version 4. The checksum is that of the body as it is sent, so it is the body's signature."""

    def payload(self, request: Any) -> str:
        checksum = request.headers.get("x-amz-checksum-sha256")
        return base64.b64decode(checksum).hex() if checksum else str(super().payload(request))


AUTH_TYPE_MAPS[SIGNATURE] = KnownBody


def sign_known_bodies(client: Any) -> None:
    """Have uploads of this client signed so; presigned URLs, which have no body yet, are not."""
    for operation in OPERATIONS:
        client.meta.events.register(f"choose-signer.s3.{operation}", choose_signature)


def choose_signature(signature_version: Any, **context: Any) -> str | None:
    return SIGNATURE if signature_version == "s3v4" else None
