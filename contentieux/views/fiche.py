"""Fiche d'un dossier : où en est la procédure, quelle date ne pas manquer, que manque-t-il."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

from django.db.models import Prefetch
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django.views.decorators.http import require_safe

from contentieux import forms, services
from contentieux.domaine.delais import Duree
from contentieux.domaine.procedure import Etat, Juge, RoleDelai
from contentieux.donnees import injonction
from contentieux.models import DossierContentieux, Interruption, Piece
from contentieux.services.archive import chronologie
from contentieux.services.decompte import refus_du_calcul
from contentieux.services.suivi import situation
from contentieux.services.veille import PREAVIS
from factures.domaine.bareme import TauxManquant, fin_de_semestre, semestre
from factures.services import bareme
from recouvrement.commun.formats import jour
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.vues import onglets, rediriger, rendre, valeur_parmi
from recouvrement.comptes.droits import Droit, exige, peut
from relances.domaine.natures import Nature

from .gestes import GESTES, Geste

S = DossierContentieux.Statut
ONGLETS = ("pieces", "decompte", "prescription", "chronologie")
ACTES = {
    "depart": gettext_noop("Point de départ"),
    "paiement_partiel": gettext_noop("Paiement partiel"),
    "signification": gettext_noop("Signification de l’ordonnance"),
    "reclamation_ecrite": gettext_noop("Réclamation écrite"),
    "mise_en_demeure": gettext_noop("Mise en demeure"),
    "requete_injonction": gettext_noop("Requête en injonction"),
}
# États où la procédure s'est arrêtée sans titre : une personne décide de la suite.
ARRETS = {S.REJETEE, S.CADUQUE, S.NON_AVENUE}


def dossier_visible(request, societe: str, reference: str) -> DossierContentieux:
    """Le dossier, ses lignes, étapes et pièces ; 404 s'il n'est pas dans le périmètre de la personne."""
    dossiers = DossierContentieux.objects.visibles_pour(request.user).select_related(
        "client__gestionnaire", "societe", "ouvert_par"
    )
    charges = dossiers.prefetch_related(
        "lignes__echeance__facture", "etapes__auteur", "frais",
        Prefetch("pieces", Piece.objects.select_related("courrier", "ajoutee_par", "echeance__facture")),
    )  # fmt: skip
    return get_object_or_404(charges, societe__code=societe, reference=reference)


@dataclass(frozen=True)
class Suivi:
    """Une ligne des prochaines dates."""

    jour: date
    phrase: str
    article: str = ""
    presse: bool = False


class Vue:
    """Ce que la fiche montre, calculé au plus une fois et seulement si le gabarit le demande."""

    def __init__(self, request, dossier: DossierContentieux, *, au: date):
        self.request, self.dossier, self.au = request, dossier, au
        self.peut_agir = not dossier.clos_le and peut(request.user, Droit.CONTENTIEUX, dossier.societe_id)
        self.peut_exporter = peut(request.user, Droit.EXPORTER, dossier.societe_id)

    @cached_property
    def compte(self):
        return services.compter(self.dossier)

    @property
    def refus_du_calcul(self) -> str:
        return refus_du_calcul(self.compte)

    @cached_property
    def points(self):
        """Chaque point de la requête ou de la demande au préfet, avec l'adresse où le corriger."""
        points = services.points_mandatement if self.mandatement else services.points
        return [(p, self._adresse(p.ou)) for p in points(self.dossier, self.compte, au=self.au)]

    @property
    def mandatement(self) -> bool:
        """Débiteur public : la suite est le mandatement d'office, jamais l'injonction."""
        return self.dossier.voie == DossierContentieux.Voie.MANDATEMENT

    @property
    def acquis(self) -> int:
        return sum(p.acquis for p, _url in self.points)

    @property
    def prete(self) -> bool:
        return self.acquis == len(self.points)

    @property
    def en_preparation(self) -> bool:
        return self.dossier.statut == S.EN_PREPARATION

    @property
    def arrete(self) -> bool:
        return self.dossier.statut in ARRETS

    @property
    def volet_juridiction(self) -> str:
        return "prefecture" if self.mandatement else "juridiction"

    def _adresse(self, ou: str) -> str:
        """Là où le manque se corrige : un volet de la fiche, ou l'écran qui le tient."""
        if ou.startswith("piece:"):
            return f"?{urlencode({'volet': 'joindre', 'piece': ou.removeprefix('piece:')})}#volet"
        volets = {
            "dossier": "mentions", "juridiction": self.volet_juridiction, "decompte": "decompte",
            "prescription": "prescription-relue",
        }  # fmt: skip
        if ou in volets:
            return f"?{urlencode({'volet': volets[ou]})}#volet"
        client = reverse("clients:fiche", args=[self.dossier.client_id])
        recus = f"{reverse('factures:encaissements')}?{urlencode({'q': self.dossier.client.code})}"
        ecrans = {"client": f"{client}?volet=modifier#volet", "litiges": client, "poster": client}
        return (ecrans | {"encaissements": recus}).get(ou, "")

    @cached_property
    def prescriptions(self):
        return services.du_dossier(self.dossier, au=self.au)

    @property
    def actes(self):
        """Par facture, ses étapes de prescription et leur nom."""
        noms = {**{cle: _(nom) for cle, nom in ACTES.items()}, **dict(Interruption.Acte.choices)}
        return [(p, [(noms[e.acte], e) for e in p.prescription.etapes]) for p in self.prescriptions]

    @cached_property
    def delais(self):
        return services.delais(self.dossier, au=self.au, etapes=self.dossier.etapes.all())

    @cached_property
    def etapes_vivantes(self):
        return [e for e in self.dossier.etapes.all() if e.annulee_le is None]

    @property
    def historique(self):
        """Étapes enregistrées, annulées comprises, de la plus récente à la plus ancienne."""
        noms = services.procedure(self.dossier).libelles
        return [(e, noms.get(e.evenement, e.evenement)) for e in reversed(list(self.dossier.etapes.all()))]

    @property
    def prochaines(self) -> list[Suivi]:
        dates = []
        for d in self.delais:
            presse = d.role is RoleDelai.TENIR and d.limite - PREAVIS <= self.au
            if d.role is RoleDelai.ATTENDRE:
                phrase = _("%(q)s : possible à partir de ce jour") % {"q": d.faire}
                dates.append(Suivi(d.limite + timedelta(days=1), phrase, d.texte))
            elif d.role is RoleDelai.TENIR:
                dates.append(Suivi(d.limite, _("%(q)s : dernier jour") % {"q": d.faire}, d.texte, presse))
            else:
                dates.append(Suivi(d.limite, _("%(q)s : fin du délai") % {"q": d.libelle}, d.texte))
        if self.prescriptions and not self.dossier.clos_le:
            p = self.prescriptions[0]
            phrase = _("Prescription de %(f)s, date d’origine") % {"f": p.facture.numero}
            dates.append(Suivi(p.prescription.origine, phrase, p.prescription.nature.texte, p.alerte is not None))
        if self.en_preparation and (fin := self._taux_a_venir()):
            dates.append(Suivi(fin, _("Décompte à rafraîchir ensuite : taux du semestre suivant à relever")))
        return sorted(dates, key=lambda s: s.jour)

    def _taux_a_venir(self) -> date | None:
        """Fin du semestre en cours, si le taux du suivant n'est pas encore relevé."""
        fin = fin_de_semestre(self.au)
        try:
            bareme().refi_du_semestre(semestre(fin + timedelta(days=1)))
        except TauxManquant:
            return fin
        return None

    @property
    def urgence(self) -> Suivi | None:
        """Délai de procédure à moins de quinze jours."""
        return next((s for s in self.prochaines if s.presse), None)

    @cached_property
    def frais(self) -> dict[str, Decimal]:
        tous = list(self.dossier.frais.all())
        return {
            "total": sum((f.montant for f in tous), Decimal(0)),
            "recuperables": sum((f.montant for f in tous if f.recuperable), Decimal(0)),
        }

    @property
    def pieces_jointes(self) -> int:
        return sum(1 for p in self.dossier.pieces.all() if not p.manque and not p.dispense)

    @property
    def pieces_attendues(self) -> int:
        return sum(1 for p in self.dossier.pieces.all() if not p.dispense)

    @cached_property
    def juridiction(self):
        return services.juridiction_proposee(self.dossier.client, au=self.au)

    @property
    def chronologie(self):
        return list(reversed(chronologie(self.dossier)))

    # --- Les six étapes ------------------------------------------------------------------------
    @property
    def etapes(self) -> list[dict]:
        if self.mandatement:
            return self._etapes_du_mandatement()
        d, rang = self.dossier, self._rang()
        montrees = [
            self._amiable(),
            {
                "titre": _("Dossier ouvert"),
                "detail": _("par %(n)s") % {"n": d.ouvert_par} if d.ouvert_par else "",
                "date": jour(d.ouvert_le),
                "article": _("injonction de payer"),
            },
            self._requete(),
            self._ordonnance(),
            self._signification(),
            self._executoire(),
        ]
        for numero, etape in enumerate(montrees):
            etape["etat"] = "fait" if numero < rang else "ici" if numero == rang else ""
        return montrees

    def _etapes_du_mandatement(self) -> list[dict]:
        """Amiable, dossier, demande au préfet, ordonnateur mis en demeure, mandatement."""
        d = self.dossier
        dates = {e.evenement: e.le for e in self.etapes_vivantes}
        requis, mois = dates.get("ordonnateur_requis"), d.get_delai_ordonnateur_mois_display()
        paye = dates.get("mandatement_office") or dates.get("mandatement")
        reste = len(self.points) - self.acquis if self.en_preparation else 0
        manque = ngettext("il manque %(n)d point", "il manque %(n)d points", reste) % {"n": reste}
        demande = jour(d.depose_le or dates.get("saisine_comptable")) or _("elle interrompt la prescription")
        montrees = [
            {"titre": _("Demandes écrites"), "detail": _("réclamations restées sans effet"), "date": "",
             "article": _("loi 68-1250, art. 2")},
            {"titre": _("Dossier ouvert"), "detail": _("par %(n)s") % {"n": d.ouvert_par} if d.ouvert_par else "",
             "date": jour(d.ouvert_le), "article": _("mandatement d’office")},
            {"titre": _("Demande au préfet"), "detail": manque if reste else _("à signer et envoyer"), "date": demande,
             "article": _("CGCT, art. L1612-16")},
            {"titre": _("Ordonnateur mis en demeure"), "detail": _("%(d)s pour mandater") % {"d": mois},
             "date": jour(requis), "article": _("CGCT, art. L1612-16")},
            {"titre": _("Mandatement"), "detail": _("intérêts 45 jours après"), "date": jour(paye),
             "article": _("CCP, art. R2192-36")},
        ]  # fmt: skip
        rang = {S.MANDATEMENT_DEMANDE: 3, S.ORDONNATEUR_REQUIS: 4, S.MANDATEE: 5}.get(d.statut, 2)
        for numero, etape in enumerate(montrees):
            etape["etat"] = "fait" if numero < rang else "ici" if numero == rang else ""
        return montrees

    def _rang(self) -> int:
        """Numéro de l'étape où se trouve le dossier ; 6 = tout est fait."""
        dates = {e.evenement for e in self.etapes_vivantes}
        if self.dossier.statut in (S.EXECUTOIRE, S.SAISIE) or "deux_mois_sans_avis" in dates:
            return 6
        jalons = (self.dossier.signifiee_le, self.dossier.ordonnance_le, self.dossier.depose_le)
        return next((5 - n for n, jalon in enumerate(jalons) if jalon), 2)

    def _amiable(self) -> dict:
        courriers = (p.courrier for p in self.dossier.pieces.all() if p.courrier)
        parties = [c for c in courriers if c.nature == Nature.MISE_EN_DEMEURE]
        if not parties:
            return {"titre": _("Amiable clos"), "detail": _("par dérogation"), "article": _("sans mise en demeure")}
        derniere = max(parties, key=lambda c: c.pk)
        retour = derniere.get_retour_display().lower()
        return {
            "titre": _("Amiable clos"),
            "detail": _("avis %(r)s") % {"r": retour} if retour else _("avis attendu"),
            "date": jour(derniere.retour_le or derniere.presente_le or derniere.depose_le),
            "article": _("C. civ., art. 1344"),
        }

    def _requete(self) -> dict:
        d = self.dossier
        reste = len(self.points) - self.acquis if self.en_preparation else 0
        if d.depose_le:
            detail = _("déposée")
        elif reste:
            detail = ngettext("il manque %(n)d point", "il manque %(n)d points", reste) % {"n": reste}
        else:
            detail = _("projet à signer et déposer") if d.requete_le else _("prête à produire")
        return {
            "titre": _("Requête"),
            "detail": detail,
            "date": jour(d.depose_le) or _("elle n’interrompt pas la prescription"),
            "article": _("CPC, art. 1405, 1407"),
        }

    def _ordonnance(self) -> dict:
        d = self.dossier
        au_commerce = situation(d, au=self.au, etapes=self.etapes_vivantes).juge is Juge.COMMERCE
        frais = _("frais de greffe sous 15 jours") if au_commerce else _("sans frais de greffe")
        return {
            "titre": _("Ordonnance"),
            "detail": _("rendue") if d.ordonnance_le else frais,
            "date": jour(d.ordonnance_le) or (_("à peine de caducité") if au_commerce else ""),
            "article": _("CPC, art. 1425") if au_commerce else _("CPC, art. 1409"),
        }

    def _delai_du_regime(self, etat: Etat, evenements: tuple[str, ...]) -> Duree:
        """Durée que la table donne sous le régime du dossier (ou d'aujourd'hui, avant l'ordonnance)."""
        ici = situation(self.dossier, au=self.au, etapes=self.etapes_vivantes)
        return next(t.duree for t in injonction().permises(etat, ici) if t.evenement in evenements)

    def _signification(self) -> dict:
        d = self.dossier
        duree = self._delai_du_regime(Etat.ORDONNANCE_RENDUE, ("signification",))
        limite = duree.apres(d.ordonnance_le) if d.ordonnance_le else None
        if d.signifiee_le:
            a_personne = {True: _("à personne"), False: _("hors la personne"), None: _("faite")}
            detail, quand = a_personne[d.signifiee_a_personne], jour(d.signifiee_le)
        else:
            detail = _("%(d)s après l’ordonnance") % {"d": duree}
            quand = _("au plus tard le %(j)s") % {"j": jour(limite)} if limite else _("sinon non avenue")
        return {"titre": _("Signification"), "detail": detail, "date": quand, "article": _("CPC, art. 1411")}

    def _executoire(self) -> dict:
        attente = self._delai_du_regime(Etat.SIGNIFIEE, ("delai_opposition_expire", "deux_mois_sans_avis"))
        statut = self.dossier.statut
        detail = _("%(d)s sans opposition") % {"d": attente} if attente.nombre == 1 else _("2 mois sans avis reçu")
        if statut in (S.OPPOSITION, S.INSTANCE, S.JUGEMENT):
            detail = self.dossier.get_statut_display()
        elif statut in (S.EXECUTOIRE, S.SAISIE):
            detail = _("titre exécutoire")
        return {
            "titre": _("Exécutoire"),
            "detail": detail,
            "date": _("opposition : 1 mois"),
            "article": _("CPC, art. 1416, 1422"),
        }


def geste_demande(vue: Vue, nom: str, piece: str) -> tuple[Geste, Piece | None]:
    """Le geste et la pièce qu'il vise ; 404 si l'un ou l'autre n'existe pas ou n'est pas permis."""
    geste = GESTES.get(nom)
    if geste is None or not vue.peut_agir:
        raise Http404
    if not geste.vise_une_piece:
        return geste, None
    visee = next((p for p in vue.dossier.pieces.all() if str(p.pk) == piece), None)
    if visee is None:
        raise Http404
    return geste, visee


def rendre_fiche(request, vue: Vue, *, nom: str = "", form: forms.DossierForm | None = None, piece=None, status=200):
    """La fiche, son onglet ou son volet, selon ce que htmx remplace."""
    geste = GESTES.get(nom)
    onglet = valeur_parmi(request, "o", ONGLETS)
    url_geste = ""
    if geste:
        url_geste = reverse("contentieux:geste", args=[vue.dossier.societe.code, vue.dossier.reference, nom])
        if piece is not None:
            url_geste += f"?{urlencode({'piece': piece.pk})}"
    contexte = {
        "v": vue, "dossier": vue.dossier, "client": vue.dossier.client, "au": vue.au,
        "geste": geste, "nom_geste": nom, "url_geste": url_geste, "form": form, "piece": piece,
        "onglet": onglet,
        "onglets": onglets(request, "o", [
            ("pieces", _("Pièces"), len(vue.dossier.pieces.all())), ("decompte", _("Décompte")),
            ("prescription", _("Prescription")), ("chronologie", _("Chronologie")),
        ]),
    }  # fmt: skip
    fragments = {"volet": "contentieux/_volet.html", "onglet": "contentieux/_onglet.html"}
    cible = getattr(request.htmx, "target", "") or ""
    fragment = fragments.get(cible, "contentieux/fiche.html")
    return rendre(request, "contentieux/fiche.html", fragment, contexte, status=status)


@require_safe
@exige(Droit.VOIR)
def fiche(request, societe: str, reference: str):
    vue = Vue(request, dossier_visible(request, societe, reference), au=aujourd_hui())
    nom = request.GET.get("volet", "")
    if nom not in GESTES or not vue.peut_agir:
        return rendre_fiche(request, vue)
    geste, piece = geste_demande(vue, nom, request.GET.get("piece", ""))
    form = geste.forme(dossier=vue.dossier, au=vue.au, piece=piece)
    return rendre_fiche(request, vue, nom=nom, form=form, piece=piece)


@require_safe
@exige(Droit.VOIR)
def par_identifiant(request, pk: int):
    """Lien court par identifiant : mène à l'adresse lisible du dossier."""
    dossiers = DossierContentieux.objects.visibles_pour(request.user).select_related("societe")
    return rediriger(request, get_object_or_404(dossiers, pk=pk).get_absolute_url())
