"""La base elle-même refuse de modifier ou d'effacer un maillon (PostgreSQL et SQLite)."""

from django.db import migrations

MESSAGE = "le journal est inaltérable"

POSTGRESQL = f"""
create or replace function journal_inalterable() returns trigger language plpgsql as $$
begin raise exception '{MESSAGE}'; end $$;
create trigger journal_maillon_fige before update or delete on journal_maillon
  for each row execute function journal_inalterable();
create trigger journal_maillon_non_vide before truncate on journal_maillon
  for each statement execute function journal_inalterable();
"""
POSTGRESQL_RETOUR = """
drop trigger if exists journal_maillon_fige on journal_maillon;
drop trigger if exists journal_maillon_non_vide on journal_maillon;
"""
# Avec recursive_triggers=ON (réglages), REPLACE passe aussi par le déclencheur DELETE.
SQLITE = [
    f"create trigger journal_maillon_fige_u before update on journal_maillon begin select raise(abort, '{MESSAGE}'); end",
    f"create trigger journal_maillon_fige_d before delete on journal_maillon begin select raise(abort, '{MESSAGE}'); end",
]
SQLITE_RETOUR = [
    "drop trigger if exists journal_maillon_fige_u",
    "drop trigger if exists journal_maillon_fige_d",
]


def executer(editeur, postgresql, sqlite):
    with editeur.connection.cursor() as cur:
        if editeur.connection.vendor == "postgresql":
            cur.execute(postgresql)
        else:
            for ordre in sqlite:
                cur.execute(ordre)


def poser(apps, editeur):
    executer(editeur, POSTGRESQL, SQLITE)


def lever(apps, editeur):
    executer(editeur, POSTGRESQL_RETOUR, SQLITE_RETOUR)


class Migration(migrations.Migration):
    dependencies = [("journal", "0001_initiale")]
    operations = [migrations.RunPython(poser, lever)]
