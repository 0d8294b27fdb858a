"""Who may see and change what: the one place that every read and write goes through."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

if TYPE_CHECKING:
    from photos.models import Library

M = TypeVar("M", bound=models.Model)
AnyUser = Any  # settings.AUTH_USER_MODEL or AnonymousUser; the stubs cannot name the first


class ScopedQuerySet(models.QuerySet[M]):
    """Rows that belong to a library, found over `library_path` (a lookup that ends at the library's id)."""

    library_path = "library_id"

    def visible_to(self, user: AnyUser) -> Self:
        """What `user` may see: everything in the libraries the user is a member of."""
        return self._in_libraries_of(user)

    def editable_by(self, user: AnyUser) -> Self:
        """What `user` may change: everything in the libraries the user owns or edits."""
        return self._in_libraries_of(user, role__in=["owner", "editor"])

    def _in_libraries_of(self, user: AnyUser, **roles: Any) -> Self:
        from photos.models import Membership

        if not user.is_authenticated:
            return self.none()
        libraries = Membership.objects.filter(user_id=user.pk, **roles).values("library_id")
        return self.filter(**{f"{self.library_path}__in": libraries})


class LibraryQuerySet(ScopedQuerySet["Library"]):
    library_path = "id"

    def owned_by(self, user: AnyUser) -> Self:
        """Those whose name and members `user` decides."""
        return self._in_libraries_of(user, role="owner")

    def home_of(self, user: AnyUser) -> "Library":
        """The library new photos of `user` go to when nobody says which: the oldest one the user owns, else
        edits. Made when there is none.
        """
        from photos.models import Library, Membership

        if (home := self._first_editable(user)) is not None:
            return home
        with transaction.atomic():  # two first uploads at the same time make one library
            get_user_model()._default_manager.select_for_update().get(pk=user.pk)
            if (home := self._first_editable(user)) is not None:
                return home
            library = Library.objects.create(name="Photos")
            Membership.objects.create(library=library, user_id=user.pk, role="owner")
        return library

    def _first_editable(self, user: AnyUser) -> "Library | None":
        return self.editable_by(user).owned_first(user).first()

    def owned_first(self, user: AnyUser) -> Self:
        """Those that `user` owns before the others, each kind by age."""
        from photos.models import Membership

        owned = Membership.objects.filter(library=OuterRef("pk"), user_id=user.pk, role="owner")
        return self.order_by(Exists(owned).desc(), "pk")


class PhotoQuerySet(ScopedQuerySet[M]):
    """Photos. What lies in the trash is not visible and not editable, only `in_trash_of` its members."""

    def _in_libraries_of(self, user: AnyUser, **roles: Any) -> Self:
        return super()._in_libraries_of(user, **roles).filter(deleted_at__isnull=True)

    def in_trash_of(self, user: AnyUser) -> Self:
        """Deleted photos that `user` may bring back."""
        return super()._in_libraries_of(user, role__in=["owner", "editor"]).in_trash()

    def in_trash(self) -> Self:
        """Those deleted reversibly, of all libraries."""
        return self.filter(deleted_at__isnull=False)

    def without_clips(self) -> Self:
        """Without the films of live photos, which their photos show."""
        return self.filter(still__isnull=True)

    def one_of_each_stack(self, **shown: Any) -> Self:
        """Of each stack only the photo that stands for it: the first outside the trash that is `shown`."""
        before = self.model._default_manager.filter(
            stack=OuterRef("stack"),
            stack_position__lt=OuterRef("stack_position"),
            deleted_at__isnull=True,
            still__isnull=True,
            **shown,
        )
        return self.filter(Q(stack__isnull=True) | ~Exists(before))

    def taken_between(self, start: datetime, end: datetime) -> Self:
        """Taken at or after `start` and before `end`, by the wall clock of the place."""
        return self.filter(taken_at__gte=start, taken_at__lt=end)

    def newest_first(self) -> Self:
        """The order of the timeline: by wall clock, newest first, then by id."""
        return self.order_by("-taken_at", "-id")

    def after_in_timeline(self, taken_at: datetime, pk: int) -> "PhotoQuerySet[M]":
        """What comes after this place in the order of the timeline."""
        return self.filter(taken_at__lte=taken_at).filter(Q(taken_at__lt=taken_at) | Q(pk__lt=pk))

    def before_in_timeline(self, taken_at: datetime, pk: int) -> "PhotoQuerySet[M]":
        """What comes before this place in the order of the timeline."""
        return self.filter(taken_at__gte=taken_at).filter(Q(taken_at__gt=taken_at) | Q(pk__gt=pk))

    def move_to_trash(self) -> int:
        """Delete reversibly, with the films beside the photos; the purge comes after 30 days."""
        now = timezone.now()
        chosen = list(self.values_list("pk", flat=True))
        self.model._default_manager.filter(still_id__in=chosen, deleted_at=None).update(deleted_at=now)
        return self.model._default_manager.filter(pk__in=chosen).update(deleted_at=now)

    def bring_back(self) -> int:
        """Undo `move_to_trash`."""
        chosen = list(self.values_list("pk", flat=True))
        self.model._default_manager.filter(still_id__in=chosen).update(deleted_at=None)
        return self.model._default_manager.filter(pk__in=chosen).update(deleted_at=None)
