from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from chitra.accounts.models import ApiKey, User


class Command(BaseCommand):
    help = "Make an API key for an account and print it once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="command line", help="what the key is for")

    def handle(self, *args: str, email: str, name: str, **options: object) -> None:
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"There is no account {email}. The setup page or the admin makes accounts.")
        self.stdout.write(ApiKey.issue(user, name)[1])
