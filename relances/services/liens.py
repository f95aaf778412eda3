"""Le lien d'un client vers sa page : un par courrier ou par message, signé, daté, révocable.

L'adresse ne porte que le rang du lien et une signature du serveur (132 bits) : la base, volée seule, n'ouvre aucune
page ; la clé secrète seule non plus, sans `cle`. Le papier porte un code court, sans effet sans le numéro de client.
"""

import re
import secrets
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.signing import base64_hmac
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare

from clients.models import Client
from recouvrement.journal.services import consigner
from relances.models import Courrier, LienPortail, Message, ReglagePortail

SEL = "relances.portail.lien"
SIGNATURE = 22  # caractères de base64 : 132 bits
# Ni 0, O, 1, I, L ni U : ce qui se recopie d'un papier ne se confond pas et n'écrit pas de mot.
ALPHABET, LONGUEUR_CODE = "23456789ABCDEFGHJKMNPQRSTVWXYZ", 10
_JETON = re.compile(r"([0-9a-z]{1,12})-([A-Za-z0-9_-]{22})")
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
# Sur un aperçu, rien n'est encore créé : cette forme tient la place du lien, l'envoi écrit le vrai.
APERCU, CODE_APERCU = "apercu-" + "x" * 20, "XXXXX-XXXXX"  # aussi longue qu'une vraie


def reglage_ouvert(societe) -> ReglagePortail | None:
    """Le réglage de la société si sa page est ouverte ; aucune requête s'il est déjà lu (`select_related`)."""
    try:
        reglage = societe.reglage_portail
    except ReglagePortail.DoesNotExist:
        return None
    return reglage if reglage.actif else None


def adresse_de_page(
    client: Client, *, au: date, courrier: Courrier | None = None, message: Message | None = None
) -> str:
    """Adresse complète de la page du client, le lien créé au besoin ; vide si la page est fermée ou le lien révoqué."""
    lien = lien_pour(client, au=au, courrier=courrier, message=message)
    return adresse(lien) if lien and lien.revoque_le is None else ""


def code_de_page(client: Client, *, au: date, courrier: Courrier | None = None, message: Message | None = None) -> str:
    """Code court à imprimer (« ABCDE-FGHJK »), créé au besoin ; vide si la page est fermée ou le lien révoqué."""
    lien = lien_pour(client, au=au, courrier=courrier, message=message)
    if lien is None or lien.revoque_le:
        return ""
    return ecrire_code(code_du_lien(lien))


def code_du_lien(lien: LienPortail) -> str:
    """Le code court du lien, tiré une seule fois, même demandé par deux processus."""
    for _essai in range(5):
        if lien.code_court:
            return lien.code_court
        try:
            with transaction.atomic():
                LienPortail.objects.filter(pk=lien.pk, code_court=None).update(code_court=_tirer())
        except IntegrityError:  # déjà tiré pour un autre : une chance sur 5·10¹⁴
            continue
        lien.refresh_from_db(fields=["code_court"])
    return lien.code_court or ""


def _tirer() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LONGUEUR_CODE))


def ecrire_code(code: str) -> str:
    return f"{code[:5]}-{code[5:]}"


def lien_pour(
    client: Client, *, au: date, courrier: Courrier | None = None, message: Message | None = None, papier: bool = False
) -> LienPortail | None:
    """Le lien de ce courrier ou de ce message, créé s'il manque ; sans l'un ni l'autre, celui donné à la main ce jour.

    None si la société n'a pas ouvert la page, ou pour un courrier qui n'est pas encore écrit. Un courrier refait ou
    réimprimé garde le sien. papier : avec un code court dès la création.
    """
    reglage = reglage_ouvert(client.societe)
    if reglage is None or (courrier and not courrier.pk) or (message and not message.pk):
        return None
    cause = {"courrier": courrier} if courrier else {"message": message} if message else {}
    existant = _existant(client, au=au, **cause)
    if existant:
        return existant
    try:
        with transaction.atomic():
            lien = LienPortail.objects.create(
                client=client, cree_le=au, expire_le=au + timedelta(days=reglage.duree_jours),
                code_court=_tirer() if papier else None, **cause,
            )  # fmt: skip
    except IntegrityError:  # un autre processus vient de l'écrire : la contrainte n'en garde qu'un
        lien = _existant(client, au=au, **cause)
    return lien


def _existant(client: Client, *, au: date, **cause) -> LienPortail | None:
    if cause:
        return LienPortail.objects.filter(client=client, **cause).first()
    return LienPortail.objects.filter(client=client, courrier=None, message=None, cree_le=au).valides(au).first()


def jeton(lien: LienPortail) -> str:
    """Ce que l'adresse porte : « rang-signature »."""
    rang, chiffres = lien.pk, ""
    while rang:
        rang, reste = divmod(rang, 36)
        chiffres = _BASE36[reste] + chiffres
    return f"{chiffres}-{_signature(lien.pk, lien.cle, settings.SECRET_KEY)}"


def _signature(pk: int, cle: str, secret: str) -> str:
    return base64_hmac(SEL, f"{pk}:{cle}", secret, algorithm="sha256")[:SIGNATURE]


def adresse(lien: LienPortail) -> str:
    return settings.SITE_URL.rstrip("/") + adresse_relative(lien)


def adresse_relative(lien: LienPortail) -> str:
    return f"/p/{jeton(lien)}"


def adresse_du_code() -> str:
    """L'adresse courte qu'une lettre imprime."""
    return f"{settings.SITE_URL.rstrip('/')}/p/code"


def adresse_d_apercu() -> str:
    return f"{settings.SITE_URL.rstrip('/')}/p/{APERCU}"


def reconnaitre(texte: str) -> LienPortail | None:
    """Le lien que ce jeton signe, valable ou non ; None s'il est faux.

    Une requête et une signature dans tous les cas : la durée ne dit pas si le rang existe.
    """
    lu = _JETON.fullmatch(texte)
    pk, signature = (int(lu[1], 36), lu[2]) if lu else (0, "x" * SIGNATURE)
    lien = _liens().filter(pk=min(pk, 2**63 - 1)).first()
    cle = lien.cle if lien else "x" * 24
    secrets_ = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    authentiques = [constant_time_compare(_signature(pk, cle, s), signature) for s in secrets_]
    return lien if lien and lu and any(authentiques) else None


def reconnaitre_code(code: str, numero: str) -> LienPortail | None:
    """Le lien de ce code papier et de ce numéro de client ; None si l'un des deux manque ou ment (même durée)."""
    propre = re.sub(r"[\s-]+", "", code).upper()[:LONGUEUR_CODE]
    lien = _liens().filter(code_court=propre or "?").first()
    attendu = lien.client.code if lien else "x"
    juste = constant_time_compare(_numero(attendu), _numero(numero))
    return lien if lien and juste else None


def _numero(texte: str) -> str:
    return re.sub(r"\s+", "", texte).casefold()[:60]


def _liens():
    return LienPortail.objects.select_related("client__societe__reglage_portail", "client__gestionnaire")


@transaction.atomic
def donner(client: Client, *, par, au: date) -> LienPortail | None:
    """Un lien que la personne transmet elle-même, un par jour ; None si la page est fermée."""
    deja = _existant(client, au=au)
    lien = lien_pour(client, au=au)
    if lien and lien != deja:
        consigner(
            "lien.donne", societe=client.societe, acteur=par, objet=lien, client=client,
            texte=f"Jusqu'au {lien.expire_le:%d/%m/%Y}",
        )  # fmt: skip
    return lien


@transaction.atomic
def revoquer(lien: LienPortail, *, par, moment: datetime) -> bool:
    """Le lien ne s'ouvre plus ; faux s'il était déjà révoqué."""
    if not LienPortail.objects.filter(pk=lien.pk, revoque_le=None).update(revoque_le=moment, revoque_par=par):
        return False
    consigner(
        "lien.revoque", societe=lien.client.societe, acteur=par, objet=lien, client=lien.client_id,
        texte=f"Lien du {lien.cree_le:%d/%m/%Y}",
    )  # fmt: skip
    return True
