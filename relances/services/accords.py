"""L'accord écrit : proposé, approuvé, signé, refusé, annulé. L'effet ne vient qu'à la signature (docs/statuts.md).

Ordre des verrous : le client, l'accord, puis ses échéances. Un geste qui arrive trop tard n'écrit rien et le dit.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client, Document
from factures.domaine.accords import ABANDON, Genre, effet, expire_le
from factures.models import Accord, Echeance, NatureAvoir, Promesse
from factures.services import accords as examen
from factures.services import accords_effets, annuler_promesse, promettre
from factures.services.echeanciers import accepter, annuler_echeancier
from recouvrement.commun.formats import jour, somme
from recouvrement.commun.pdf import PdfIndisponible
from recouvrement.comptes.droits import Droit, peut, verifier_droit

from .accords_etats import noter, passer, relire, verrouiller_le_client, verrouiller_les_pieces
from .accords_nuit import conclure_accords
from .accords_pdf import figer

__all__ = ["annuler", "approuver", "conclure_accords", "proposer", "refuser", "signer"]

log = logging.getLogger(__name__)
S = Accord.Statut


def proposer(
    client: Client,
    *,
    genre: str,
    echeances: Iterable[Echeance],
    termes: Mapping | examen.Termes,
    au: date,
    acteur,
    par_le_client: bool = False,
    cle: str = "",
) -> Accord:
    """Écrit l'accord proposé et fige son PDF ; rien ne change au compte avant la signature.

    termes : ceux de `factures.services.accords.lire_termes`. Hors des bornes, il attend un responsable, sauf si
    l'acteur en est un. par_le_client : hors des bornes, il est refusé ; sa proposition précédente est remplacée.
    La même `cle` rend l'accord déjà écrit. Lève ValidationError : pièces, bornes dures, droit du débiteur.
    """
    t = termes if isinstance(termes, examen.Termes) else examen.lire_termes(termes)
    if genre not in Accord.Genre.values:
        raise ValidationError(_("Choisissez un genre d'accord."))
    with transaction.atomic():
        accord, cree = _ecrire(client, genre, echeances, t, au=au, acteur=acteur, du_client=par_le_client, cle=cle[:64])
    if accord.statut == S.PROPOSE:
        _figer_si_possible(accord)
    return accord


def _ecrire(client, genre, echeances, t: examen.Termes, *, au, acteur, du_client, cle) -> tuple[Accord, bool]:
    client = verrouiller_le_client(client.pk)
    if cle and (deja := Accord.objects.filter(client=client, cle=cle).select_related("client__societe").first()):
        return deja, False
    if du_client:
        _remplacer_les_propositions_du_client(client, au=au)
    choisies = verrouiller_les_pieces([e.pk for e in echeances])
    vu = examen.examiner(client, genre=genre, echeances=choisies, termes=t, au=au)
    refus = vu.refus + (vu.a_approuver if du_client else [])
    if refus:
        raise ValidationError(refus)
    decide = acteur is not None and peut(acteur, Droit.LEVER_FREIN, client.societe_id)
    attend = bool(vu.a_approuver) and not decide
    accord = Accord.objects.create(
        client=client, genre=genre, statut=S.A_APPROUVER if attend else S.PROPOSE, devise=vu.devise, montant=vu.montant,
        remise=t.remise if Genre(genre) in ABANDON else 0,
        payer_avant=t.payer_avant if Genre(genre) in ABANDON else None,
        penalites=vu.penalites, clause_decheance=vu.clause_decheance, termes=examen.en_json(t), propose_le=au,
        expire_le=expire_le(Genre(genre), au=au, mensualites=t.mensualites, payer_avant=t.payer_avant),
        propose_par_le_client=du_client, auteur=acteur, cle=cle,
        approuve_par=acteur if vu.a_approuver and decide else None,
        approuve_le=timezone.now() if vu.a_approuver and decide else None,
    )  # fmt: skip
    accord.reference = f"ACC-{au.year}-{accord.pk:06d}"
    accord.save(update_fields=["reference"])
    accord.echeances.set(choisies)
    noter(
        accord, "propose", acteur=acteur, texte=" ; ".join(vu.a_approuver),
        echeances=[e.pk for e in choisies], montant=accord.montant, remise=accord.remise, termes=accord.termes,
        par_le_client=du_client,
    )  # fmt: skip
    return accord, True


def _remplacer_les_propositions_du_client(client: Client, *, au: date) -> None:
    """Le client change d'avis : sa proposition non signée laisse la place."""
    for ancien in Accord.objects.filter(client=client, statut=S.PROPOSE, propose_par_le_client=True):
        passer(ancien, S.ANNULE, de=(S.PROPOSE,), acteur=None, au=au, motif=_("remplacé par une autre proposition"))


def _figer_si_possible(accord: Accord) -> None:
    try:
        figer(accord)
    except PdfIndisponible:
        log.warning("accord %s : PDF impossible sur cette machine, il se produira à la demande", accord.pk)


def approuver(accord: Accord, *, acteur, au: date) -> bool:
    """Un responsable accepte ce qui sort des bornes ; faux si c'était fait. Lève PermissionDenied, ValidationError."""
    verifier_droit(acteur, Droit.LEVER_FREIN, accord.client.societe_id)
    if accord.auteur_id == acteur.pk:
        raise PermissionDenied(_("Qui propose n'approuve pas : un autre responsable décide."))
    with transaction.atomic():
        accord = relire(accord)
        if accord.statut != S.A_APPROUVER:
            return False
        _exiger_dans_les_temps(accord, au)
        accord.approuve_par, accord.approuve_le, accord.statut = acteur, timezone.now(), S.PROPOSE
        accord.save(update_fields=["approuve_par", "approuve_le", "statut", "updated_at"])
        noter(accord, "approuve", acteur=acteur)
    _figer_si_possible(accord)
    return True


def refuser(accord: Accord, *, motif: str, acteur, au: date) -> bool:
    """Un responsable n'approuve pas, ou le client ne signe pas ; faux s'il n'était plus à décider."""
    if accord.statut == S.A_APPROUVER and acteur is not None:
        verifier_droit(acteur, Droit.LEVER_FREIN, accord.client.societe_id)
    with transaction.atomic():
        return passer(
            relire(accord), S.REFUSE, de=(S.A_APPROUVER, S.PROPOSE), acteur=acteur, au=au, motif=_motif(motif)
        )


def annuler(accord: Accord, *, motif: str, acteur, au: date) -> bool:
    """Retire un accord non signé, ou résout d'un commun accord celui qui court ; faux s'il n'est plus en cours.

    Les pièces rentrent dans l'échelle à leur niveau. Exécuté, il ne s'annule pas : ses écritures se défont une à une.
    """
    motif = _motif(motif)
    with transaction.atomic():
        accord = relire(accord)
        if accord.statut == S.SIGNE:
            if accord.echeancier_id:
                annuler_echeancier(accord.echeancier, motif=motif, au=au, acteur=acteur)
            if promesse := _promesse(accord):
                annuler_promesse(promesse, au=au, acteur=acteur)
        elif accord.statut == S.ROMPU and accord.echeancier_id and accord.echeancier.lie_apres_rupture:
            annuler_echeancier(accord.echeancier, motif=motif, au=au, acteur=acteur)
        return passer(accord, S.ANNULE, de=(*Accord.EN_COURS, *_resolubles(accord)), acteur=acteur, au=au, motif=motif)


def _resolubles(accord: Accord) -> tuple[str, ...]:
    """Rompu sans clause, l'échéancier lie encore : le résoudre d'un commun accord rend le solde exigible."""
    return (S.ROMPU,) if accord.echeancier_id and not accord.clause_decheance else ()


# --- Signer ----------------------------------------------------------------------------------------


@transaction.atomic
def signer(
    accord: Accord,
    *,
    signature: str,
    nom: str,
    qualite: str = "",
    au: date,
    acteur=None,
    le: date | None = None,
    moment: datetime | None = None,
    courriel: str = "",
    adresse_ip: str | None = None,
    agent: str = "",
    exemplaire: Document | None = None,
) -> Accord:
    """Constate la signature et fait l'effet de l'accord, ensemble ou pas du tout ; déjà signé, rend l'accord.

    le : jour écrit sur l'exemplaire papier (défaut : `au`). Lève ValidationError, sans rien perdre : la dette a changé
    depuis la proposition, délai passé, exemplaire absent, PDF jamais produit.
    """
    accord = relire(accord)
    if accord.statut in (S.SIGNE, S.EXECUTE, S.ROMPU):
        return accord
    if accord.statut != S.PROPOSE or not accord.pdf_empreinte:
        raise ValidationError(
            _("L'accord %(accord)s n'est pas à signer : %(statut)s.")
            % {"accord": accord, "statut": accord.get_statut_display().lower()}
        )
    le = le or au
    if not accord.propose_le <= le <= au:
        raise ValidationError(
            {
                "le": _("La signature vient entre la proposition, le %(jour)s, et ce jour.")
                % {"jour": jour(accord.propose_le)}
            }
        )
    _exiger_dans_les_temps(accord, le)
    if not nom.strip():
        raise ValidationError({"nom": _("Dites qui a signé.")})
    if signature == Accord.Signature.PAPIER and (exemplaire is None or exemplaire.client_id != accord.client_id):
        raise ValidationError({"exemplaire": _("Joignez l'exemplaire signé, numérisé.")})
    pieces = verrouiller_les_pieces(list(accord.echeances.order_by().values_list("pk", flat=True)))
    _exiger_la_meme_dette(accord, pieces)
    t = examen.de_l_accord(accord)
    vu = examen.examiner(accord.client, genre=accord.genre, echeances=pieces, termes=t, au=le, sauf=accord.pk)
    if vu.refus:
        raise ValidationError(vu.refus)
    accord.signature, accord.exemplaire = signature, exemplaire
    accord.signe_le = moment or (timezone.now() if le == au else timezone.make_aware(datetime.combine(le, time(12))))
    accord.signe_par_nom, accord.signe_par_qualite = nom.strip()[:120], qualite.strip()[:120]
    accord.signe_courriel, accord.signe_adresse_ip, accord.signe_agent = courriel, adresse_ip, agent[:250]
    accord.statut = S.SIGNE
    _faire_l_effet(accord, pieces, t, le=le, au=au, acteur=acteur)
    accord.save()
    noter(
        accord, "signe", acteur=acteur, texte=accord.signe_par_nom, pdf=accord.pdf_empreinte, signature=signature,
        courriel=courriel, adresse_ip=adresse_ip or "", exemplaire=exemplaire.empreinte if exemplaire else "",
    )  # fmt: skip
    return accord


def _exiger_dans_les_temps(accord: Accord, le: date) -> None:
    if le > accord.expire_le:
        raise ValidationError(
            _("L'accord devait être signé au plus tard le %(jour)s : proposez-en un autre.")
            % {"jour": jour(accord.expire_le)}
        )


def _exiger_la_meme_dette(accord: Accord, pieces: list[Echeance]) -> None:
    """Un paiement, un avoir ou une facture annulée entre la proposition et la signature : l'accord ne dit plus vrai."""
    restant = sum((e.reste_du for e in pieces), start=accord.montant * 0)
    if restant == accord.montant and all(e.reste_du for e in pieces):
        return
    soldees = [e.facture.numero for e in pieces if not e.reste_du]
    dit = _("La dette a changé : %(avant)s à la proposition, %(apres)s aujourd'hui") % {
        "avant": somme(accord.montant, accord.devise), "apres": somme(restant, accord.devise)
    }  # fmt: skip
    if soldees:
        dit += _(" (%(pieces)s : soldée)") % {"pieces": ", ".join(soldees[:5])}
    raise ValidationError(dit + _(". Rien n'est signé : proposez un accord sur ce qui reste dû."))


def _faire_l_effet(accord: Accord, pieces, t: examen.Termes, *, le: date, au: date, acteur) -> None:
    """L'effet du genre, dans la transaction de la signature. Lève ValidationError : tout est défait."""
    client, genre = accord.client, Genre(accord.genre)
    if genre == Genre.ECHEANCIER:
        accord.echeancier = accepter(
            client, echeances=pieces, mensualites=t.mensualites, accepte_le=le,
            clause_decheance=accord.clause_decheance, au=le, acteur=acteur,
        )  # fmt: skip
        return
    if genre in ABANDON:
        if accord.payer_avant >= au:  # ses pièces se taisent jusque-là, comme pour toute promesse
            promesse = promettre(
                client, pieces, montant=accord.montant - accord.remise, date_promise=accord.payer_avant, au=au,
                acteur=acteur,
            )  # fmt: skip
            accord.termes = {**accord.termes, "promesse": promesse.pk}
        return
    e = effet(genre, montant=accord.montant, opposee=t.creance_montant)
    accords_effets.porter_un_avoir(accord, pieces, nature=NatureAvoir(e.nature), montant=e.avoir, au=au, acteur=acteur)
    if genre == Genre.NOVATION:
        accord.facture_nouvelle = accords_effets.ouvrir_la_dette(accord, t.mensualites, au=au)
    accord.statut, accord.conclu_le = S.EXECUTE, au


def _promesse(accord: Accord) -> Promesse | None:
    pk = accord.termes.get("promesse")
    return Promesse.objects.filter(pk=pk).select_related("client__societe").first() if pk else None


def _motif(motif: str) -> str:
    motif = motif.strip()
    if not motif:
        raise ValidationError({"motif": _("Dites pourquoi : le motif reste au dossier.")})
    return motif[:250]
