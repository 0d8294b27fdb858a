"""Who owns photos, and who may see them."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from photos.querysets import LibraryQuerySet
from photos.validators import validate_zone


class Library(models.Model):
    """Owns photos, people and albums. A person alone has one and never sees the word; a family shares one."""

    name = models.CharField(max_length=100)
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        validators=[validate_zone],
        help_text="Such as Europe/Paris: taken for photos that do not tell their zone. Empty: unknown.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    members: "models.ManyToManyField[Any, Any]" = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="libraries"
    )

    objects: ClassVar[Any] = LibraryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "libraries"

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """What one user may do in one library."""

    class Role(models.TextChoices):
        OWNER = "owner"
        EDITOR = "editor"
        VIEWER = "viewer"

    library = models.ForeignKey(Library, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["library", "user"], name="one_role_per_member")]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"
