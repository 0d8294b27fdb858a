from django.urls import path

from jobs import api, live_api

urlpatterns = [
    path("events", live_api.events, name="api-events"),
    path("jobs", api.job_list, name="api-jobs"),
    path("jobs/<str:job_id>", api.job_detail, name="api-job"),
    path("jobs/<str:job_id>/cancel", api.cancel, name="api-job-cancel"),
    path("jobs/<str:job_id>/retry", api.retry, name="api-job-retry"),
]
