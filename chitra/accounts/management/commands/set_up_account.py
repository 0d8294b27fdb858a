from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from chitra.accounts.services import set_up_from_environment
from chitra.env import env_secret, env_str


class Command(BaseCommand):
    help = "Make the first account from CHITRA_SETUP_EMAIL and CHITRA_SETUP_PASSWORD, when there is none yet."

    def handle(self, *args: str, **options: object) -> None:
        try:
            user = set_up_from_environment(
                email=env_str("CHITRA_SETUP_EMAIL"), password=env_secret("CHITRA_SETUP_PASSWORD")
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        if user is not None:
            self.stdout.write(f"Made the first account, {user.email}.")
