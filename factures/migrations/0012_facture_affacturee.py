from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("factures", "0011_donnees_entrantes")]

    operations = [
        migrations.AddIndex(
            model_name="facture",
            index=models.Index(fields=["client"], condition=Q(affacturee=True), name="facture_affacturee"),
        ),
    ]
