"""Whether people and faces of a library are still what a plan was made for."""

from django.db import connection


def fingerprint(library_id: int) -> str:
    """A sum over everything that a plan depends on: another library state has another one."""
    with connection.cursor() as cursor:
        cursor.execute(FINGERPRINT, {"library": library_id})
        return "-".join(str(number) for number in cursor.fetchone())


FINGERPRINT = """
SELECT
  (SELECT coalesce(sum(hashtextextended(concat_ws('|', f.id, f.person_id, f.assigned_by, f.is_dismissed,
                                                  f.x1, f.y1, f.x2, f.y2, f.quality), 0)::numeric), 0)
   FROM faces_face f JOIN photos_photo p ON p.id = f.photo_id WHERE p.library_id = %(library)s),
  (SELECT coalesce(sum(hashtextextended(concat_ws('|', id, name, birth_date, is_hidden, is_favorite), 0)
                       ::numeric), 0)
   FROM faces_person WHERE library_id = %(library)s),
  (SELECT coalesce(sum(hashtextextended(concat_ws('|', r.face_id, r.person_id, r.is_sure), 0)::numeric), 0)
   FROM faces_facerejection r JOIN faces_person p ON p.id = r.person_id WHERE p.library_id = %(library)s),
  (SELECT coalesce(sum(hashtextextended(concat_ws('|', d.first_id, d.second_id, d.is_sure), 0)::numeric), 0)
   FROM faces_persondistinction d JOIN faces_person p ON p.id = d.first_id WHERE p.library_id = %(library)s)
"""
