"""Passwords of the legacy server: plain bcrypt, made anew with the first hasher when their owner logs in."""

import re

from django.contrib.auth.hashers import BCryptPasswordHasher

BCRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$")
MAX_BYTES = 72


class LegacyBcryptHasher(BCryptPasswordHasher):
    """bcrypt of the first 72 bytes, as the legacy server cut passwords; the library refuses longer ones."""

    algorithm = "legacy_bcrypt"

    def encode(self, password: str, salt: str | bytes) -> str:
        import bcrypt

        salt_bytes = salt if isinstance(salt, bytes) else salt.encode()
        return f"{self.algorithm}${bcrypt.hashpw(password.encode()[:MAX_BYTES], salt_bytes).decode()}"


def is_bcrypt(text: str) -> bool:
    return BCRYPT.match(text) is not None


def stored_form(bcrypt_hash: str) -> str:
    """How the hash is kept in `User.password`."""
    return f"{LegacyBcryptHasher.algorithm}${bcrypt_hash}"
