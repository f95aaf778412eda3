"""« J'ai besoin de temps », dans les bornes : l'échéancier s'établit sur la page, et n'engage qu'une fois signé."""

from collections.abc import Iterable
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from factures.models import Accord, Echeance
from recouvrement.commun.formats import instant
from relances.domaine.declarations import masquer
from relances.models import Declaration, LienPortail, Message, ReglagePortail

from .declarations_portail import Depot, choisir, demander_un_delai, ecrire_declaration, jour_de, ouvrir
from .declarations_portail_mots import dans_la_langue_de_l_equipe
from .messages import ecrire
from .preparation import mentions
from .signatures import etablir, plans_possibles


def offrir(client, pieces: Iterable[Echeance], *, reglage: ReglagePortail, premiere: date, au: date) -> list[dict]:
    """Les plans que la page propose : [{nombre, termes, accorde, raisons}] ; `accorde` : signable tout de suite.

    Un plan que le droit ou l'arithmétique interdisent ne se montre pas ; un plan hors des bornes se demande seulement.
    """
    plans = []
    for nombre, termes, examen in plans_possibles(client, pieces, premiere=premiere, au=au):
        if examen.refus:
            continue
        accorde = reglage.accord_immediat and not examen.a_approuver
        plans.append({"nombre": nombre, "termes": termes.mensualites, "accorde": accorde, "hors": examen.a_approuver})
    dans = [p for p in plans if not p["hors"]]
    return dans or plans


def demander_du_temps(
    lien: LienPortail,
    depot: Depot,
    *,
    reglage: ReglagePortail,
    pieces: Iterable[int],
    nombre: int,
    premiere: date,
    moment: datetime,
) -> Declaration:
    """Établit l'accord à signer si la société l'accorde sans relecture ; sinon, une personne examine la demande.

    `declaration.accord` dit lequel des deux. Lève ValidationError.
    """
    pieces = list(pieces)
    if reglage.accord_immediat:
        declaration = _convenir(lien, depot, pieces=pieces, nombre=nombre, premiere=premiere, moment=moment)
        if declaration:
            return declaration
    return demander_un_delai(lien, depot, pieces=pieces, nombre=nombre, premiere=premiere, moment=moment)


@transaction.atomic
def _convenir(lien, depot, *, pieces, nombre, premiere, moment) -> Declaration | None:
    """L'accord proposé par le client, dans les bornes ; None hors d'elles."""
    client, deja = ouvrir(lien, depot, moment)
    if deja:
        return deja
    au = jour_de(moment)
    choisies, devise = choisir(client, pieces, libres=True)
    plans = {n: examen for n, _termes, examen in plans_possibles(client, choisies, premiere=premiere, au=au)}
    examen = plans.get(nombre)
    if examen is None or examen.refus or examen.a_approuver:
        return None
    accord = etablir(
        client, choisies, nombre=nombre, premiere=premiere, au=au, acteur=None, cle=f"portail:{lien.pk}:{depot.cle}",
        par_le_client=True,
    )  # fmt: skip
    with dans_la_langue_de_l_equipe():
        decision = _("Dans les bornes : échéancier à signer sur la page")
    return ecrire_declaration(
        lien, client, depot, choisies, moment, genre=Declaration.Genre.DELAI, montant=accord.montant, devise=devise,
        jour=premiere, categorie=str(nombre), statut=Declaration.Statut.ACCEPTEE, accord=accord, decision=decision,
        decidee_le=moment,
    )  # fmt: skip


def a_signer(lien: LienPortail, *, au: date) -> list[Accord]:
    """Les accords que ce client peut signer sur sa page aujourd'hui. Une requête."""
    accords = Accord.objects.filter(client=lien.client_id, statut=Accord.Statut.PROPOSE, expire_le__gte=au)
    return list(accords.order_by("pk"))


def envoyer_les_exemplaires(accord: Accord) -> list[Message]:
    """Le PDF signé, aux deux parties ; rejoué, il ne part qu'une fois à chacune. L'adresse est celle du code."""
    client, societe = accord.client, accord.client.societe
    equipe = client.gestionnaire.courriel if client.gestionnaire else societe.courriel
    if not accord.pdf_empreinte:
        raise ValidationError(_("L'accord n'a pas de fichier."))
    jointe = {
        "nom": f"{accord.reference}.pdf", "chemin": accord.pdf_chemin, "empreinte": accord.pdf_empreinte,
        "type": "application/pdf",
    }  # fmt: skip
    texte = "\n\n".join(
        [
            _("Bonjour,"),
            _("L'accord %(reference)s est signé ; en voici l'exemplaire.") % {"reference": accord.reference},
            _("Signé par %(nom)s (%(qualite)s), le %(moment)s, avec le code envoyé à %(courriel)s.")
            % {
                "nom": accord.signe_par_nom,
                "qualite": accord.signe_par_qualite,
                "moment": instant(accord.signe_le),
                "courriel": masquer(accord.signe_courriel),
            },
            _("Empreinte du fichier (SHA-256) : %(empreinte)s") % {"empreinte": accord.pdf_empreinte},
            mentions(societe, client.langue),
        ]
    )
    envois = []
    for qui, adresse in (("client", accord.signe_courriel), ("equipe", equipe)):
        if adresse:
            envois.append(
                ecrire(
                    client,
                    genre=Message.Genre.ACCORD_SIGNE,
                    cle=f"accord:{accord.pk}:signe:{qui}",
                    destinataire=adresse,
                    objet=_("Accord signé : %(reference)s") % {"reference": accord.reference},
                    texte=texte,
                    jointes=[jointe],
                    accord=accord,
                )  # fmt: skip
            )
    return envois
