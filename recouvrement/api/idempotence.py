"""Clés d'idempotence : une écriture rejouée rend la même réponse, sans rien refaire.

La clé est posée avant d'écrire, dans sa propre transaction : une demande concurrente se heurte à la contrainte
d'unicité. La réponse est gardée dans la transaction de l'écriture : l'une ne va pas sans l'autre. Un refus n'a rien
écrit ; il libère la clé.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja.responses import Status

from .models import CleIdempotence
from .problemes import Probleme

ENTETE = "Idempotency-Key"
DUREE = timedelta(days=7)
BAIL = timedelta(minutes=5)  # au-delà, une écriture restée en cours est tenue pour interrompue


def cle_de(request) -> str:
    """La clé de l'en-tête. Lève un 400 si elle manque ou ne se lit pas."""
    cle = request.headers.get(ENTETE, "").strip()
    if not 1 <= len(cle) <= 120 or not cle.isascii() or not cle.isprintable():
        detail = _("L’en-tête Idempotency-Key est nécessaire : 1 à 120 caractères, un par écriture voulue.")
        raise Probleme(400, "requete-illisible", detail, champs=[(ENTETE, detail)])
    return cle


def cle_de_service(request) -> str:
    """La même clé, propre au jeton et à l'opération, pour les services qui se gardent eux-mêmes d'un double envoi."""
    brute = f"{request.jeton.pk}\n{request.path}\n{cle_de(request)}"
    return f"api{hashlib.sha256(brute.encode()).hexdigest()[:32]}"


def _empreinte(request) -> str:
    somme = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type == "multipart/form-data":  # la borne change à chaque envoi : on signe ce qu'elle sépare
        for nom, valeurs in sorted(request.POST.lists()):
            somme.update(repr((nom, valeurs)).encode(errors="backslashreplace"))
        for nom, fichier in sorted(request.FILES.items()):
            somme.update(repr((nom, fichier.name, fichier.size)).encode(errors="backslashreplace"))
            for bloc in fichier.chunks():
                somme.update(bloc)
            fichier.seek(0)
    else:
        somme.update(request.body)
    return somme.hexdigest()


def executer(request, ecrire: Callable[[], dict], *, statut: int) -> Status:
    """Écrit une fois et garde la réponse, ou rend celle déjà donnée."""
    empreinte = _empreinte(request)
    ligne = _prendre(request.jeton, cle_de(request), empreinte)
    if ligne.statut:
        request.rejouee = True
        return Status(ligne.statut, ligne.corps)
    try:
        with transaction.atomic():
            corps = ecrire()
            CleIdempotence.objects.filter(pk=ligne.pk).update(statut=statut, corps=corps)
    except BaseException:
        CleIdempotence.objects.filter(pk=ligne.pk, statut=0).delete()
        raise
    return Status(statut, corps)


def _prendre(jeton, cle: str, empreinte: str) -> CleIdempotence:
    """La ligne neuve, ou celle d'une écriture finie. Lève 409 (en cours) ou 422 (clé d'une autre demande)."""
    siennes = CleIdempotence.objects.filter(jeton=jeton)
    siennes.filter(created_at__lt=timezone.now() - DUREE).delete()
    try:
        with transaction.atomic():
            return CleIdempotence.objects.create(jeton=jeton, cle=cle, empreinte=empreinte)
    except IntegrityError:
        pass
    ligne = siennes.filter(cle=cle).first()
    en_cours = Probleme(
        409, "cle-en-cours", _("Une demande de même clé est en cours : réessayez dans un instant."),
        entetes={"Retry-After": "2"},
    )  # fmt: skip
    if ligne is None:
        raise en_cours
    if ligne.empreinte != empreinte:
        detail = _("Cette clé a servi pour une autre demande : prenez-en une neuve.")
        raise Probleme(422, "cle-reemployee", detail, champs=[(ENTETE, detail)])
    if ligne.statut:
        return ligne
    interrompue = siennes.filter(pk=ligne.pk, statut=0, created_at__lt=timezone.now() - BAIL)
    if interrompue.update(created_at=timezone.now()):
        return ligne
    raise en_cours
