from django.contrib.admin import AdminSite


class ChitraAdminSite(AdminSite):
    """The admin for curation, under the product's name."""

    site_header = "Chitra"
    site_title = "Chitra admin"
    index_title = "Curation and upkeep"
