"""Table du cache partagé entre processus (limites de connexion)."""

from django.core.management import call_command
from django.db import migrations


def creer(apps, editeur):
    call_command("createcachetable", "cache", database=editeur.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunPython(creer, migrations.RunPython.noop)]
