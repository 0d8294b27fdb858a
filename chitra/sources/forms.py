"""Forms of folders and imports: paths below CHITRA_SCAN_ROOTS, in the libraries one may change."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from chitra.sources.import_tasks import checked_place
from chitra.sources.models import Folder
from chitra.sources.plans import NAMES, SERVICES
from photos.importing import BadFolder, inside_scan_roots
from photos.models import Library
from photos.storages.folders import escaped

NOT_EDITABLE = "path", "mode", "library"


def checked_path(text: str) -> str:
    """The escaped absolute path. Raises ValidationError with the reason."""
    try:
        path = inside_scan_roots(text.strip())
    except BadFolder as error:
        raise forms.ValidationError(str(error)) from None
    escaped_path = escaped(str(path))
    if len(escaped_path) > 250:
        raise forms.ValidationError("The path is longer than 250 characters.")
    return escaped_path


def libraries_for(user: Any) -> QuerySet[Library]:
    """The libraries in which `user` may add folders."""
    libraries: QuerySet[Library] = Library.objects.editable_by(user).order_by("pk")
    return libraries


class FolderForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs only
    """A folder: where it lies and what it belongs to is said once, the rest can change."""

    class Meta:
        model = Folder
        fields = (
            "library",
            "path",
            "mode",
            "exclusions",
            "with_hidden",
            "schedule_minutes",
            "is_watched",
            "marker",
        )
        labels = {
            "path": "Folder on the server",
            "mode": "Originals",
            "exclusions": "Leave out",
            "schedule_minutes": "Scan again after minutes",
        }
        widgets = {"exclusions": forms.Textarea(attrs={"rows": 4}), "mode": forms.RadioSelect}

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        libraries = libraries_for(user)
        library = self.fields["library"]
        assert isinstance(library, forms.ModelChoiceField)
        library.queryset = libraries
        library.empty_label = None
        if self.instance.pk:
            for name in NOT_EDITABLE:
                del self.fields[name]
        elif len(libraries) == 1:
            library.initial = libraries[0]
            library.widget = forms.HiddenInput()

    def clean_path(self) -> str:
        return checked_path(self.cleaned_data["path"])

    def clean_marker(self) -> str:
        marker: str = self.cleaned_data["marker"].strip()
        if marker.startswith("/") or ".." in marker.split("/"):
            raise forms.ValidationError("Name a file inside the folder.")
        return marker


class ImportForm(forms.Form):
    """What is imported once, from where, and into which library."""

    library = forms.ModelChoiceField(queryset=Library.objects.none(), empty_label=None)
    path = forms.CharField(
        label="Folder or zip archive on the server",
        max_length=1000,
        help_text="For an export in parts: the folder that has all of them.",
    )
    service = forms.ChoiceField(
        label="Comes from",
        choices=[("auto", "whatever it looks like"), *((name, NAMES[name]) for name in SERVICES)],
    )
    with_albums = forms.BooleanField(label="Make an album of each folder", required=False)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        libraries = libraries_for(user)
        library = self.fields["library"]
        assert isinstance(library, forms.ModelChoiceField)
        library.queryset = libraries
        if len(libraries) == 1:
            library.initial = libraries[0]
            library.widget = forms.HiddenInput()

    def clean_path(self) -> str:
        try:
            return str(checked_place(self.cleaned_data["path"]))
        except BadFolder as error:
            raise forms.ValidationError(str(error)) from None
