"""Forms of setup, login and settings."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError

from chitra.accounts.models import User


class LoginForm(AuthenticationForm):
    """E-mail address and password; the address in any case."""

    error_messages = {
        "invalid_login": "That address and password do not belong together. Mind capitals in the password.",
        "inactive": "This account is closed.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail address"


class SetupForm(forms.Form):
    """The first account."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": ""}),
    )
    password = forms.CharField(
        max_length=4096,
        help_text=password_validators_help_texts()[1],
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    repeated = forms.CharField(
        label="Password again",
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        password = values.get("password")
        if password and values.get("repeated") and password != values["repeated"]:
            self.add_error("repeated", "The two passwords differ.")
        if password:
            try:
                validate_password(password, User(email=values.get("email", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return values


class ApiKeyForm(forms.Form):
    """A new API key."""

    name = forms.CharField(
        label="What is it for?", max_length=100, widget=forms.TextInput(attrs={"placeholder": "Phone backup"})
    )
