"""Retrouver un envoi par l'identifiant que le fournisseur lui a donné : une annonce par message remis."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("relances", "0009_lien_unique")]

    operations = [
        migrations.AddIndex(
            model_name="courrier",
            index=models.Index(condition=~models.Q(message_id=""), fields=["message_id"], name="courrier_message_id"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(condition=~models.Q(message_id=""), fields=["message_id"], name="message_message_id"),
        ),
    ]
