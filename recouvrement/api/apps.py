from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "recouvrement.api"
    label = "api"
    verbose_name = "API et événements"
