"""Connexion : les comptes sont créés par un administrateur, jamais par inscription libre."""

from allauth.account.adapter import DefaultAccountAdapter


class SansInscriptionAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        return False
