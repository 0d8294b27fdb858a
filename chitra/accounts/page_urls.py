from django.contrib.auth.views import LogoutView
from django.urls import path

from chitra.accounts import views

urlpatterns = [
    path("setup", views.setup, name="setup"),
    path("login", views.Login.as_view(), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("settings", views.settings, name="settings"),
    path("settings/password", views.ChangePassword.as_view(), name="change-password"),
    path("settings/keys/<int:key_id>/revoke", views.revoke_key, name="revoke-key"),
]
