"""Routes de la page du client : publiques, sans compte, chacune vérifie son lien."""

app_name = "portail"

urlpatterns: list = []
