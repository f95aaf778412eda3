from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("factures", "0005_loi_et_echelle"),
    ]

    operations = [
        migrations.AddField(
            model_name="echeance",
            name="prelevement_rejete",
            field=models.BooleanField(db_default=False, default=False, verbose_name="prélèvement rejeté"),
        ),
    ]
