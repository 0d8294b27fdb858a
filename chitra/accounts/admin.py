"""The admin of accounts and API keys."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from chitra.accounts.models import ApiKey, User
from jobs.admin import ReadOnlyAdmin
from photos.admin.libraries import MembershipInline


class EmailFormMixin:
    """An address is one account, in any case."""

    cleaned_data: dict[str, Any]
    instance: User

    def clean_email(self) -> str:
        email: str = User.objects.normalize_email(self.cleaned_data["email"])
        if User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("There is an account with this address already.")
        return email


class NewUserForm(EmailFormMixin, AdminUserCreationForm):
    class Meta:
        model = User
        fields = ["email"]


class UserForm(EmailFormMixin, UserChangeForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = "__all__"


class UserMembershipInline(MembershipInline):
    autocomplete_fields = ["library"]
    extra = 0


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    """Accounts are known by e-mail address. Deleting one keeps its libraries and photos."""

    form = UserForm
    add_form = NewUserForm
    list_display = ["email", "first_name", "last_name", "is_active", "is_staff", "last_login"]
    list_filter = ["is_staff", "is_superuser", "is_active"]
    search_fields = ["email", "first_name", "last_name"]
    ordering = ["email"]
    readonly_fields = ["last_login", "date_joined"]
    inlines = [UserMembershipInline]
    fieldsets = [
        (None, {"fields": ["email", "password", "first_name", "last_name"]}),
        ("Permissions", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"classes": ["wide"], "fields": ["email", "usable_password", "password1", "password2"]}),
    ]


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys are shown once, when they are made; here they are only told apart and revoked."""

    list_display = ["name", "prefix", "user", "created_at", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["name", "prefix", "user__email"]
    date_hierarchy = "created_at"
    fields = ["name", "prefix", "user", "created_at", "last_used_at"]
    actions = ["revoke"]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Deleting a key is revoking it."""
        return super(ReadOnlyAdmin, self).has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.action(description="Revoke selected keys", permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        _, counts = queryset.delete()
        self.message_user(request, f"{counts.get('accounts.ApiKey', 0)} revoked.", messages.SUCCESS)
