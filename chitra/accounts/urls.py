from django.urls import path

from chitra.accounts import api, keys_api, users_api
from photos import converters  # noqa: F401 - brings “id” into paths

urlpatterns = [
    path("auth/register", api.register, name="api-register"),
    path("auth/login", api.login, name="api-login"),
    path("auth/logout", api.logout, name="api-logout"),
    path("auth/me", api.me, name="api-me"),
    path("media-token", api.media_token, name="api-media-token"),
    path("keys", keys_api.key_list, name="api-keys"),
    path("keys/<id:key_id>", keys_api.key_detail, name="api-key"),
    path("admin/users", users_api.users, name="api-users"),
    path("admin/users/pending", users_api.pending_users, name="api-users-pending"),
    path("admin/users/<id:user_id>/whitelist", users_api.whitelist, name="api-user-whitelist"),
    path("admin/users/<id:user_id>/unwhitelist", users_api.unwhitelist, name="api-user-unwhitelist"),
    path("admin/users/<id:user_id>/role", users_api.role, name="api-user-role"),
    path("admin/users/<id:user_id>/deactivate", users_api.deactivate, name="api-user-deactivate"),
]
