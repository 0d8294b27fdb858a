from django.urls import path

from jobs import api

urlpatterns = [path("jobs/<str:job_id>", api.job_detail, name="api-job")]
