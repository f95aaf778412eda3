from django.apps import AppConfig


class CommunConfig(AppConfig):
    name = "recouvrement.commun"
    label = "commun"
    verbose_name = "Commun"
