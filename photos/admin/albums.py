"""The admin of albums and tags."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.utils.safestring import SafeString

from jobs.admin import AnyModelAdmin, AnyModelForm, ReadOnlyAdmin
from photos.admin.pictures import photo_thumbnail
from photos.models import Album, AlbumPhoto, Photo, Tag


class AlbumForm(AnyModelForm):
    def clean_cover(self) -> Photo | None:
        cover: Photo | None = self.cleaned_data["cover"]
        if cover is not None and not AlbumPhoto.objects.filter(album=self.instance, photo=cover).exists():
            raise forms.ValidationError("The cover must be a photo of this album.")
        return cover


@admin.register(Album)
class AlbumAdmin(AnyModelAdmin):
    """Deleting an album keeps its photos."""

    form = AlbumForm
    list_display = ["name", "library", "photo_count", "created_at"]
    list_filter = ["library"]
    list_select_related = ["library"]
    search_fields = ["name", "description"]
    ordering = ["-pk"]
    raw_id_fields = ["cover"]
    fields = ["name", "description", "cover", "library", "created_at"]
    readonly_fields = ["library", "created_at"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(photos_counted=Count("entries"))

    @admin.display(description="photos", ordering="photos_counted")
    def photo_count(self, album: Any) -> int:
        return int(album.photos_counted)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(AlbumPhoto)
class AlbumPhotoAdmin(ReadOnlyAdmin):
    list_display = ["thumbnail", "photo", "album", "position", "added_at"]
    list_display_links = ["thumbnail", "photo"]
    list_select_related = ["photo", "album"]
    search_fields = ["album__name", "photo__original_name"]
    ordering = ["-pk"]

    @admin.display(description="")
    def thumbnail(self, entry: AlbumPhoto) -> SafeString | str:
        return photo_thumbnail(entry.photo)


@admin.register(Tag)
class TagAdmin(ReadOnlyAdmin):
    """To look over; tags are given and taken on the page of a photo."""

    list_display = ["name", "thumbnail", "photo", "source", "score"]
    list_filter = ["source"]
    list_select_related = ["photo"]
    search_fields = ["name", "photo__original_name"]
    ordering = ["-pk"]

    @admin.display(description="")
    def thumbnail(self, tag: Tag) -> SafeString | str:
        return photo_thumbnail(tag.photo)
