"""manage.py creer_administrateur : la première personne d'une installation neuve."""

import secrets

from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from recouvrement.comptes.models import Affectation, Role, Societe, Utilisateur
from recouvrement.journal.services import consigner


class Command(BaseCommand):
    help = "Crée un administrateur et sa société s'il le faut ; imprime un mot de passe à changer à la connexion."

    def add_arguments(self, parser):
        parser.add_argument("courriel")
        parser.add_argument("--nom", default="", help="nom affiché (défaut : le courriel)")
        parser.add_argument("--societe", required=True, help="code de la société, créée si elle n'existe pas")

    def handle(self, *args, courriel, nom, societe, **options):
        validate_email(courriel)
        if Utilisateur.objects.filter(courriel__iexact=courriel).exists():
            raise CommandError(f"{courriel} a déjà un compte : donnez-lui un rôle dans Administration.", returncode=1)
        mot_de_passe = secrets.token_urlsafe(15)
        with transaction.atomic():
            cible, neuve = Societe.objects.get_or_create(code=societe, defaults={"raison_sociale": societe})
            user = Utilisateur.objects.create_user(courriel, mot_de_passe, nom=nom or courriel)
            Affectation.objects.create(utilisateur=user, societe=cible, role=Role.ADMINISTRATEUR)
            consigner("utilisateur.cree", societe=cible, objet=user, texte="Premier administrateur, par la commande")
        if neuve:
            self.stdout.write(f"Société « {societe} » créée : complétez ses mentions dans Administration.")
        self.stdout.write(f"Compte {user.courriel}, mot de passe {mot_de_passe} (à changer à la première connexion).")
