from django.urls import path

from jobs import views

urlpatterns = [
    path("jobs", views.jobs, name="jobs"),
    path("jobs/progress", views.progress, name="progress"),
    path("jobs/retry", views.retry, name="retry"),
    path("jobs/<uuid:job_id>/cancel", views.cancel, name="cancel-job"),
]
