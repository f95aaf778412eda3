"""Contentieux : les dossiers par étape, chacun avec la prochaine date à ne pas manquer."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Case, Count, F, IntegerField, OuterRef, Prefetch, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from contentieux.domaine.procedure import RoleDelai
from contentieux.models import DossierContentieux, DossierEcheance, Etape, Piece
from contentieux.services import delais
from contentieux.services.veille import PREAVIS
from recouvrement.commun.champs import ChampMontant
from recouvrement.commun.formats import jour, nombre
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.tableaux import Colonne
from recouvrement.commun.vues import Liste, entier, onglets, rendre, texte, valeur_parmi
from recouvrement.comptes.courante import restreindre
from recouvrement.comptes.droits import Droit, exige
from recouvrement.comptes.exports import demande, exporter
from recouvrement.comptes.models import Utilisateur

S = DossierContentieux.Statut
ORDRE = {statut: rang for rang, statut in enumerate(S.values)}
ETATS: dict[str, tuple[str, ...]] = {
    "en-cours": tuple(s for s in S.values if s != S.CLOS),
    "preparation": (S.EN_PREPARATION,),
    "procedure": (
        S.REQUETE_DEPOSEE,
        S.ORDONNANCE,
        S.SIGNIFIEE,
        S.OPPOSITION,
        S.INSTANCE,
        S.JUGEMENT,
        S.MANDATEMENT_DEMANDE,
        S.ORDONNATEUR_REQUIS,
    ),
    "titre": (S.EXECUTOIRE, S.SAISIE, S.MANDATEE),
    "arrete": (S.REJETEE, S.CADUQUE, S.NON_AVENUE),
    "clos": (S.CLOS,),
}
TRIS = {
    "etape": ["ordre", "ouvert_le"],
    "reference": ["reference"],
    "client": ["client__raison_sociale"],
    "principal": ["principal"],
    "ouvert": ["ouvert_le"],
}


@dataclass(frozen=True)
class Prochaine:
    """La date qui compte : un délai à tenir d'abord, sinon la fin d'une attente."""

    jour: date
    quoi: str
    texte: str
    a_tenir: bool
    presse: bool


def prochaine(dossier: DossierContentieux, *, au: date) -> Prochaine | None:
    """Lit les étapes et lignes déjà chargées : aucune requête."""
    cours = delais(dossier, au=au, etapes=dossier.etapes.all())
    tenir = [d for d in cours if d.role is RoleDelai.TENIR]
    attendre = [d for d in cours if d.role is RoleDelai.ATTENDRE]
    if tenir:
        d = tenir[0]
        return Prochaine(d.limite, d.faire, d.texte, True, d.limite - PREAVIS <= au)
    if attendre:
        d = attendre[0]
        return Prochaine(d.limite + timedelta(days=1), d.faire, d.texte, False, False)
    return None


def with_chiffres(dossiers):
    """Annote `principal` (reste dû aujourd'hui) et `a_joindre` (pièces obligatoires absentes)."""
    somme = (
        DossierEcheance.objects.filter(dossier=OuterRef("pk"))
        .order_by()
        .values("dossier")
        .annotate(s=Sum(F("echeance__montant") - F("echeance__impute")))
        .values("s")
    )
    absentes = (
        Piece.objects.filter(dossier=OuterRef("pk"), obligatoire=True, chemin="", dispense="")
        .exclude(genre=Piece.Genre.DECOMPTE)
        .order_by()
        .values("dossier")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return dossiers.annotate(
        principal=Coalesce(Subquery(somme, output_field=ChampMontant()), Value(0, output_field=ChampMontant())),
        a_joindre=Coalesce(Subquery(absentes), 0),
        ordre=Case(
            *[When(statut=statut, then=Value(rang)) for statut, rang in ORDRE.items()], output_field=IntegerField()
        ),
    )


@require_safe
@exige(Droit.VOIR)
def liste(request):
    """Page entière, ou le bloc de liste pour htmx."""
    au = aujourd_hui()
    perimetre = restreindre(request, DossierContentieux.objects.visibles_pour(request.user))
    comptes = dict(perimetre.order_by().values_list("statut").annotate(n=Count("pk")))
    dossiers = _filtrer(request, perimetre).filter(statut__in=ETATS[valeur_parmi(request, "etat", ETATS)])
    vivantes = Prefetch("etapes", Etape.objects.filter(annulee_le=None))
    lignes = Liste(
        request,
        with_chiffres(dossiers).select_related("client__gestionnaire", "societe").prefetch_related("lignes", vivantes),
        tris=TRIS,
        defaut="etape",
    )
    if demande(request):
        return exporter(request, lignes.lignes, _colonnes(au), nom=_("contentieux"))
    for dossier in lignes:
        dossier.prochaine = prochaine(dossier, au=au)
    contexte = {
        "liste": lignes,
        "etats": onglets(request, "etat", [(c, nom, sum(comptes.get(s, 0) for s in ETATS[c])) for c, nom in _noms()]),
        "gestionnaires": _gestionnaires(perimetre),
        "au": au,
        "par_etape": lignes.cle == "etape",
        "resume": _resume(perimetre, au),
        "annonce": ngettext("%(n)s dossier", "%(n)s dossiers", lignes.total) % {"n": nombre(lignes.total)}
        if lignes.total
        else _("aucun dossier"),
        "plusieurs_societes": len({d.societe_id for d in lignes}) > 1,
    }
    return rendre(request, "contentieux/liste.html", "contentieux/_liste.html", contexte)


def _colonnes(au: date) -> list[Colonne]:
    def suite(dossier) -> Prochaine | None:
        return prochaine(dossier, au=au)

    return [
        Colonne(_("Société"), lambda d: d.societe.code),
        Colonne(_("Dossier"), lambda d: d.reference),
        Colonne(_("Code client"), lambda d: d.client.code),
        Colonne(_("Client"), lambda d: d.client.raison_sociale),
        Colonne("SIREN", lambda d: d.client.siren),
        Colonne(_("Suivi par"), lambda d: d.client.gestionnaire and d.client.gestionnaire.nom),
        Colonne(_("Étape"), lambda d: d.get_statut_display()),
        Colonne(_("Reste dû"), lambda d: d.principal),
        Colonne(_("Pièces à joindre"), lambda d: d.a_joindre),
        Colonne(_("Prochaine date"), lambda d: (s := suite(d)) and s.jour),
        Colonne(_("À faire"), lambda d: (s := suite(d)) and s.quoi),
        Colonne(_("Ouvert le"), lambda d: d.ouvert_le),
    ]


def _noms():
    return (
        ("en-cours", _("En cours")),
        ("preparation", _("En préparation")),
        ("procedure", _("Procédure")),
        ("titre", _("Titre exécutoire")),
        ("arrete", _("Arrêtés")),
        ("clos", _("Clos")),
    )


def _filtrer(request, dossiers):
    q = texte(request, "q")
    if q:
        dossiers = dossiers.filter(
            Q(reference__icontains=q) | Q(client__raison_sociale__icontains=q) | Q(client__siren=q.replace(" ", ""))
        )
    if (gestionnaire := entier(request.GET.get("gestionnaire"))) is not None:
        dossiers = dossiers.filter(client__gestionnaire=gestionnaire)
    return dossiers


def _gestionnaires(dossiers) -> list[tuple[str, str]]:
    suivis = Utilisateur.objects.filter(portefeuille__dossiers__in=dossiers).distinct().order_by("nom")
    return [(str(pk), nom) for pk, nom in suivis.values_list("pk", "nom")]


def _resume(perimetre, au: date) -> str:
    """« 12 dossiers en cours au 20/11/2026 »."""
    n = perimetre.en_cours().count()
    if not n:
        return _("aucun dossier en cours au %(j)s") % {"j": jour(au)}
    return ngettext("%(n)d dossier en cours au %(j)s", "%(n)d dossiers en cours au %(j)s", n) % {
        "n": n,
        "j": jour(au),
    }
