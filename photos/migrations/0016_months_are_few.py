from django.db import migrations

# Else PostgreSQL takes each photo's month for one of its own, and sorts a million rows instead of counting.
CREATE = """
    CREATE STATISTICS photo_month ON (date_trunc('month', taken_at AT TIME ZONE 'UTC')) FROM photos_photo
"""


class Migration(migrations.Migration):
    dependencies = [("photos", "0015_map_index")]

    operations = [
        migrations.RunSQL(CREATE, "DROP STATISTICS photo_month"),
        migrations.RunSQL("ANALYZE photos_photo", migrations.RunSQL.noop),
    ]
