"""Langue choisie par l'utilisateur : elle l'emporte sur celle du navigateur."""

from django.utils import translation


class LangueUtilisateurMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        user = request.user
        langue = user.langue if user.is_authenticated else None
        if langue and langue != translation.get_language():
            translation.activate(langue)
            request.LANGUAGE_CODE = langue
        reponse = self.get_response(request)
        reponse.headers.setdefault("Content-Language", translation.get_language())
        return reponse
