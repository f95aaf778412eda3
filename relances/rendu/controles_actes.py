"""Ce qui manque à une requête ou à un bordereau de dépôt ; ils se rendent quand même, à compléter."""

from collections.abc import Iterator
from datetime import date

from django.utils.translation import gettext as _

from recouvrement.commun.domaine import ecriture
from recouvrement.commun.domaine.identifiants import est_siren

from .constats import CLIENT, COURRIER, DOSSIER, FACTURES, SOCIETE, Manque
from .contexte import Bordereau, Destinataire, Requete, TypeDebiteur


def manques_requete(requete: Requete) -> list[Manque]:
    """Ce qui manque au projet de requête (CPC, art. 54, 57, 1405 à 1407) ; il se rend quand même, à compléter."""
    d, dossier = requete.destinataire, []
    if d.type not in (TypeDebiteur.ENTREPRISE, TypeDebiteur.PARTICULIER):
        phrase = _("Aucune injonction de payer contre une personne publique, ni sans savoir qui est le débiteur")
        dossier.append(Manque("juge", phrase, CLIENT))
    if d.type != TypeDebiteur.PARTICULIER:
        dossier += _identite_du_debiteur(d)
    elif not requete.tribunal.competence:
        phrase = _("Créance civile : dire la compétence du tribunal judiciaire")
        dossier.append(Manque("competence", phrase, DOSSIER))
    for nom, phrase in (
        ("expose", _("Exposé des faits à écrire")),
        ("diligences", _("Démarches amiables à rappeler")),
        ("contestations", _("Dire si la créance a été contestée")),
        ("pieces", _("Bordereau des pièces vide")),
    ):
        if not getattr(requete, nom):
            dossier.append(Manque(nom, phrase, DOSSIER))
    if not requete.tribunal.nom or not requete.tribunal.adresse:
        dossier.append(Manque("tribunal", _("Tribunal du lieu où demeure le débiteur (CPC, art. 1406)"), DOSSIER))
    if not requete.emetteur.representant:
        dossier.append(Manque("representant", _("Société : représentant légal à renseigner"), SOCIETE))
    if requete.totaux.a_payer <= 0:
        dossier.append(Manque("total", _("Rien à réclamer"), FACTURES))
    numeros = [piece.numero for piece in requete.pieces]
    if len(set(numeros)) < len(numeros):
        dossier.append(Manque("numerotation", _("Deux pièces portent le même numéro"), DOSSIER))
    return dossier


def _identite_du_debiteur(d: Destinataire) -> Iterator[Manque]:
    for nom, libelle in (
        ("forme", _("forme juridique")),
        ("capital", _("capital")),
        ("rcs_ville", _("ville du greffe (RCS)")),
        ("representant", _("représentant légal")),
    ):
        if not getattr(d, nom).strip():
            yield Manque(f"debiteur_{nom}", _("Débiteur : %(quoi)s à compléter") % {"quoi": libelle}, DOSSIER)
    if not est_siren(d.siren):
        yield Manque("debiteur_siren", _("Débiteur : SIREN absent ou faux"), CLIENT)


def manques_bordereau(bordereau: Bordereau, *, lettres_du: frozenset[date] = frozenset()) -> list[Manque]:
    """Un recommandé deux fois, ou une lettre datée d'un autre jour que le dépôt (exigence 26).

    lettres_du : dates portées par les lettres des plis.
    """
    trouves = []
    if not bordereau.plis:
        trouves.append(Manque("plis", _("Aucun pli à déposer"), COURRIER))
    numeros = [pli.numero_recommande for pli in bordereau.plis if pli.numero_recommande]
    for numero in dict.fromkeys(n for n in numeros if numeros.count(n) > 1):
        phrase = _("N° de recommandé %(numero)s employé deux fois") % {"numero": numero}
        trouves.append(Manque("recommande_double", phrase, COURRIER))
    for jour in sorted(lettres_du - {bordereau.date}):
        phrase = _("Une lettre est datée du %(jour)s : la refaire au jour du dépôt") % {"jour": ecriture.jj(jour)}
        trouves.append(Manque("date_lettre", phrase, COURRIER))
    return trouves
