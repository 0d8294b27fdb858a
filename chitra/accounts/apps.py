from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "chitra.accounts"
    label = "accounts"
