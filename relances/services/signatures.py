"""Signer un accord sur la page du client : un code à six chiffres, envoyé à une adresse déjà connue, lié au fichier.

Le code ne se range nulle part en clair : la ligne n'en garde que l'empreinte, et le message, tant qu'il attend, qu'une
place vide que l'envoi remplit (`code_a_ecrire`). Il vaut quinze minutes, cinq essais, une fois, pour ce PDF.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client
from factures.domaine.accords import repartir
from factures.models import Accord, Echeance
from factures.services import accords as bornes
from recouvrement.commun import depot
from relances.domaine.declarations import masquer, propre
from relances.models import CodeSignature, LienPortail, Message

from .messages import ecrire
from .preparation import mentions

VALIDITE = timedelta(minutes=15)
ESSAIS_MAX = 5
CODES_PAR_HEURE = 5  # par accord : au-delà, la boîte du client n'est pas une cible
CHIFFRES = 6
PLACE = "{code}"  # ce que le message garde à la place du code
ZERO = Decimal("0.00")


class SignatureRefusee(Exception):
    """La signature n'a pas eu lieu ; le texte dit pourquoi et que faire."""


@dataclass(frozen=True)
class Adresse:
    """Une adresse connue du client : sa clé dans le formulaire, et ce que la page en montre."""

    cle: str
    courriel: str

    @property
    def masquee(self) -> str:
        return masquer(self.courriel)


@dataclass(frozen=True)
class Signataire:
    """Qui signe, et d'où."""

    nom: str
    qualite: str
    adresse_ip: str | None = None
    agent: str = ""


# --- Établir l'accord -------------------------------------------------------------------------------


def plans_possibles(client: Client, pieces: Iterable[Echeance], *, premiere: date, au: date) -> list[tuple]:
    """[(nombre, mensualités, examen)] de deux à six versements que la société accorde sans responsable."""
    pieces = list(pieces)
    total = sum((p.reste_du for p in pieces), ZERO)
    plans = []
    for nombre in range(2, 7):
        if total < nombre:
            break
        termes = bornes.Termes(mensualites=tuple(repartir(total, nombre, premiere)))
        plans.append(
            (nombre, termes, bornes.examiner(client, genre="echeancier", echeances=pieces, termes=termes, au=au))
        )
    return plans


def etablir(
    client: Client,
    pieces: Iterable[Echeance],
    *,
    nombre: int,
    premiere: date,
    au: date,
    acteur,
    cle: str,
    par_le_client: bool = False,
) -> Accord:
    """L'échéancier et son PDF, à signer. Lève ValidationError hors des bornes, si le client est seul."""
    from . import accords

    pieces = list(pieces)
    total = sum((p.reste_du for p in pieces), ZERO)
    try:
        mensualites = tuple(repartir(total, nombre, premiere))
    except ValueError as erreur:
        raise ValidationError(_("Cette somme ne se partage pas ainsi.")) from erreur
    return accords.proposer(
        client, genre=Accord.Genre.ECHEANCIER, echeances=pieces, termes={"mensualites": mensualites}, au=au,
        acteur=acteur, par_le_client=par_le_client, cle=cle[:64],
    )  # fmt: skip


# --- Le code ----------------------------------------------------------------------------------------


def adresses(client: Client) -> list[Adresse]:
    """Les adresses connues et valables du client ; jamais une adresse saisie sur la page. Une requête."""
    connues, vues = [], set()
    lignes = [("compte", client.courriel_utilisable)]
    contacts = client.contacts.filter(invalide_le=None).exclude(courriel="").order_by("-recoit_relances", "pk")
    lignes += [(f"contact-{pk}", courriel) for pk, courriel in contacts.values_list("pk", "courriel")]
    for cle, courriel in lignes:
        if courriel and courriel.casefold() not in vues:
            vues.add(courriel.casefold())
            connues.append(Adresse(cle, courriel))
    return connues


def _code(code_id: int, accord: Accord) -> str:
    """Les six chiffres de ce code : tirés de la clé du serveur, du code, de l'accord et du fichier."""
    tire = salted_hmac("relances.signature.tirage", f"{code_id}:{accord.pk}:{accord.pdf_empreinte}", algorithm="sha256")
    return f"{int.from_bytes(tire.digest()) % 10**CHIFFRES:0{CHIFFRES}d}"


def _empreinte(code_id: int, accord: Accord, chiffres: str) -> str:
    clair = f"{code_id}:{accord.pk}:{accord.pdf_empreinte}:{chiffres}"
    return salted_hmac("relances.signature.code", clair, algorithm="sha256").hexdigest()


@transaction.atomic
def demander_un_code(accord: Accord, lien: LienPortail, *, adresse: str, moment: datetime) -> CodeSignature:
    """Envoie un code neuf à l'adresse connue que désigne la clé `adresse` ; les codes d'avant ne valent plus.

    Lève SignatureRefusee : accord déjà signé ou expiré, adresse inconnue, trop de codes en une heure.
    """
    accord = _a_signer(accord, lien, moment)
    choisie = next((a for a in adresses(lien.client) if a.cle == adresse), None)
    if choisie is None:
        raise SignatureRefusee(_("Choisissez une des adresses que nous connaissons."))
    recents = CodeSignature.objects.filter(accord=accord, created_at__gt=moment - timedelta(hours=1))
    if recents.count() >= CODES_PAR_HEURE:
        raise SignatureRefusee(_("Trop de codes demandés : attendez une heure, ou téléphonez-nous."))
    CodeSignature.objects.filter(accord=accord, utilise_le=None, expire_le__gt=moment).update(expire_le=moment)
    code = CodeSignature.objects.create(
        accord=accord, lien=lien, courriel=choisie.courriel, empreinte="-", pdf_empreinte=accord.pdf_empreinte,
        expire_le=moment + VALIDITE,
    )  # fmt: skip
    code.empreinte = _empreinte(code.pk, accord, _code(code.pk, accord))
    code.save(update_fields=["empreinte"])
    with translation.override(lien.client.langue):
        texte = "\n\n".join(
            [
                _("Bonjour,"),
                _("Voici votre code pour signer l'accord %(reference)s :") % {"reference": accord},
                PLACE,
                _("Il vaut quinze minutes et une seule fois. Nous ne vous le demanderons jamais au téléphone."),
                _("Vous n'avez rien demandé ? Ne faites rien : sans ce code, rien n'est signé."),
                mentions(lien.client.societe, lien.client.langue),
            ]
        )
        ecrire(
            lien.client, genre=Message.Genre.CODE, cle=f"code:{code.pk}", destinataire=choisie.courriel,
            objet=_("Code de signature"), texte=texte, langue=lien.client.langue, delai=timedelta(0), accord=accord,
        )  # fmt: skip
    return code


def code_a_ecrire(message: Message) -> str:
    """Le texte du message, code compris, au moment où il part ; expiré ou remplacé, il le dit à sa place."""
    pk = message.cle.rpartition(":")[2]
    code = CodeSignature.objects.select_related("accord").filter(pk=pk if pk.isdecimal() else 0).first()
    chiffres = _code(code.pk, code.accord) if code and code.pdf_empreinte == code.accord.pdf_empreinte else "——"
    return message.texte.replace(PLACE, chiffres)


# --- Signer -----------------------------------------------------------------------------------------


def signer(
    accord: Accord, lien: LienPortail, *, chiffres: str, signataire: Signataire, lu: bool, moment: datetime, au: date
) -> Accord:
    """Signe l'accord avec le code reçu. Lève SignatureRefusee : un code faux compte, un code juste ne sert qu'une fois.

    Deux navigateurs à la fois : l'accord se verrouille, un seul signe, l'autre apprend que c'est fait.
    """
    nom, qualite = propre(signataire.nom, longueur=120), propre(signataire.qualite, longueur=120)
    if not nom or not qualite:
        raise SignatureRefusee(_("Écrivez votre nom et votre qualité : ils figurent sur l'accord."))
    if not lu:
        raise SignatureRefusee(_("Cochez la case : vous avez lu l'accord."))
    code = _essayer(accord, lien, chiffres, moment)
    return _signer(accord, lien, code, nom=nom, qualite=qualite, signataire=signataire, moment=moment, au=au)


def _essayer(accord: Accord, lien: LienPortail, chiffres: str, moment: datetime) -> CodeSignature:
    """Le code, si les chiffres sont les bons. L'essai se compte d'abord, hors transaction : il reste compté."""
    vivants = CodeSignature.objects.filter(
        accord=accord, lien=lien, utilise_le=None, expire_le__gt=moment, essais__lt=ESSAIS_MAX
    )
    code = vivants.order_by("-pk").select_related("accord").first()
    if code is None or not vivants.filter(pk=code.pk).update(essais=F("essais") + 1):
        raise SignatureRefusee(_("Ce code a expiré ou a déjà servi : demandez-en un autre."))
    lus = "".join(c for c in chiffres if c in "0123456789")[:12]
    if constant_time_compare(code.empreinte, _empreinte(code.pk, code.accord, lus)):
        return code
    code.refresh_from_db(fields=["essais"])
    reste = ESSAIS_MAX - code.essais
    if reste <= 0:
        raise SignatureRefusee(_("Ce n'est pas le bon code, et il ne vaut plus : demandez-en un autre."))
    raise SignatureRefusee(
        ngettext(
            "Ce n'est pas le bon code : il vous reste %(n)d essai.",
            "Ce n'est pas le bon code : il vous reste %(n)d essais.",
            reste,
        )
        % {"n": reste}
    )


@transaction.atomic
def _signer(
    accord: Accord,
    lien: LienPortail,
    code: CodeSignature,
    *,
    nom: str,
    qualite: str,
    signataire: Signataire,
    moment: datetime,
    au: date,
) -> Accord:
    from . import accords

    accord = _a_signer(accord, lien, moment)
    if code.pdf_empreinte != accord.pdf_empreinte:
        raise SignatureRefusee(_("L'accord a changé depuis ce code : relisez-le, puis demandez un autre code."))
    try:
        depot.lire(accord.pdf_chemin, accord.pdf_empreinte)
    except depot.ErreurDepot as erreur:
        raise SignatureRefusee(_("Le fichier de l'accord ne se relit pas : téléphonez-nous.")) from erreur
    if not CodeSignature.objects.filter(pk=code.pk, utilise_le=None).update(utilise_le=moment):
        raise SignatureRefusee(_("Ce code a déjà servi."))
    try:
        return accords.signer(
            accord, signature=Accord.Signature.PORTAIL, nom=nom, qualite=qualite, courriel=code.courriel,
            adresse_ip=signataire.adresse_ip or None, agent=propre(signataire.agent, longueur=250), au=au,
            moment=moment, acteur=None,
        )  # fmt: skip
    except ValidationError as erreur:  # la dette a changé, une pièce est payée ou contestée : rien n'est signé
        raise SignatureRefusee(" ".join(erreur.messages)) from erreur


def _a_signer(accord: Accord, lien: LienPortail, moment: datetime) -> Accord:
    """L'accord, verrouillé après son client, s'il se signe encore. Lève SignatureRefusee."""
    Client.objects.select_for_update(no_key=True, of=("self",)).get(pk=lien.client_id)
    verrou = Accord.objects.select_for_update(no_key=True, of=("self",)).select_related("client__societe")
    accord = verrou.filter(pk=accord.pk, client=lien.client_id).first()
    if accord is None:
        raise SignatureRefusee(_("Cet accord n'est pas le vôtre."))
    if accord.statut in (Accord.Statut.SIGNE, Accord.Statut.EXECUTE, Accord.Statut.ROMPU):
        raise SignatureRefusee(_("Cet accord est déjà signé."))
    if accord.statut != Accord.Statut.PROPOSE or not accord.pdf_empreinte:
        raise SignatureRefusee(_("Cet accord n'est plus à signer : demandez-en un autre."))
    if accord.expire_le < timezone.localtime(moment).date():
        raise SignatureRefusee(_("Cet accord n'est plus à signer : son délai est passé."))
    return accord
