"""Setup, login and the settings of one's own account."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import login as start_session
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from chitra.accounts.forms import ApiKeyForm, LoginForm, SetupForm
from chitra.accounts.models import ApiKey
from chitra.accounts.services import SetupClosed, needs_setup, set_up_first_account
from faces.services import pack_choice
from jobs.rate_limits import limit_posts
from photos.dates.zones import zone_names
from photos.models import Library
from search.services import encoder_choice


@never_cache
@sensitive_post_parameters("password", "repeated")
@limit_posts("login")
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """Make the first account; closed for ever once there is one."""
    if not needs_setup():
        return redirect("login")
    form = SetupForm(request.POST or None)
    if form.is_valid():
        try:
            user = set_up_first_account(
                email=form.cleaned_data["email"], password=form.cleaned_data["password"]
            )
        except SetupClosed:
            return redirect("login")
        start_session(request, user)
        return redirect("timeline")
    return render(request, "accounts/setup.html", {"form": form})


@method_decorator(limit_posts("login"), name="dispatch")
class Login(auth_views.LoginView):
    """Every page leads an anonymous visitor here; before there is an account, on to the setup."""

    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated and needs_setup():
            return redirect("setup")
        return super().dispatch(request, *args, **kwargs)


class ChangePassword(auth_views.PasswordChangeView):
    """A new password; other sessions of the account end."""

    template_name = "accounts/password.html"
    success_url = reverse_lazy("settings")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        messages.success(self.request, "The password is changed. Other devices have to log in again.")
        return super().form_valid(form)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """API keys, zones of libraries, models in use. A new key is shown once, in the answer to its making."""
    user: Any = request.user
    form = ApiKeyForm(request.POST or None)
    new_key = ""
    if form.is_valid():
        new_key = ApiKey.issue(user, form.cleaned_data["name"])[1]
        form = ApiKeyForm()
    context = {
        "form": form,
        "new_key": new_key,
        "keys": ApiKey.objects.filter(user=user).order_by("-created_at"),
        "encoder": encoder_choice(),
        "face_pack": pack_choice(),
        "libraries": Library.objects.editable_by(user).order_by("pk"),
        "zones": sorted(zone_names()),
    }
    return render(request, "accounts/settings.html", context)


@login_required
@require_POST
def revoke_key(request: HttpRequest, key_id: int) -> HttpResponse:
    """Delete one of one's own keys."""
    user: Any = request.user
    key = get_object_or_404(ApiKey, pk=key_id, user=user)
    key.delete()
    messages.success(request, f"The key “{key.name}” is revoked.")
    return redirect("settings")
