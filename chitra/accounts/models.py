"""People who use Chitra, and the keys their programs use."""

import hashlib
import secrets
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

KEY_PREFIX = "chitra_"


class UserManager(BaseUserManager["User"]):
    """Users are found by e-mail address, in any case."""

    use_in_migrations = True

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """One person, known by e-mail address. `is_staff` are the administrators of the installation.

    Who registered over the API is not active and has no `approved_at` until an administrator lets them in.
    """

    username = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)
    approved_at = models.DateTimeField(null=True, blank=True, default=timezone.now)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_in_any_case")]

    def __str__(self) -> str:
        return self.email

    @property
    def is_pending(self) -> bool:
        """Whether the account waits for an administrator."""
        return not self.is_active and self.approved_at is None

    @property
    def closed_because(self) -> str:
        """Why the account may not be used, in the words that old clients know; "" when it may."""
        if self.is_pending:
            return "Account pending admin approval. Please contact an administrator."
        return "" if self.is_active else "Account is deactivated"


class ApiKey(models.Model):
    """A key for programs. Only its SHA-256 is kept: with 256 random bits in it a slow hash adds nothing."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    key_hash = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=16, help_text="The first characters, to tell keys apart.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def issue(cls, user: User, name: str) -> tuple["ApiKey", str]:
        """Make a key for `user`; the returned text is shown once and never stored."""
        text = KEY_PREFIX + secrets.token_urlsafe(32)
        prefix = text[: len(KEY_PREFIX) + 5]
        key = cls.objects.create(user=user, name=name, key_hash=hash_key(text), prefix=prefix)
        return key, text


def hash_key(text: str) -> str:
    """SHA-256 of a key in lower-case hex."""
    return hashlib.sha256(text.encode()).hexdigest()
