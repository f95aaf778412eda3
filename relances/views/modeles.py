"""Modèles : la liste, l'éditeur à côté de son aperçu, l'historique et ses différences."""

import json
import re
from base64 import b64encode
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client, TypeDebiteur
from recouvrement.commun.apercu import image_de_page
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.pdf import compter_pages
from recouvrement.commun.vues import entier, rendre
from recouvrement.comptes.courante import societe_courante
from recouvrement.comptes.droits import Droit, exige, peut, societes_pour, verifier_droit
from recouvrement.comptes.models import Langue, Societe
from relances.formulaires_modeles import PREFIXE, CopierForm, ImporterModeleForm, TextesForm
from relances.models import Modele, NatureChoix, VersionModele
from relances.rendu import gabarits, livres
from relances.rendu.livres import Genre
from relances.services import apercus_modeles, modeles
from relances.services.textes_en_vigueur import STANDARD

V = VersionModele.Statut
MOTS_MAX = 1_500  # d'un paragraphe que l'on compare mot à mot
_MOT = re.compile(r"(?:\[\[[^\]]*\]\]|\S)+")


def cle_de(genre: Genre) -> str:
    """Le genre tel que l'adresse le porte : `entreprise-rappel_courtois-courriel-fr`."""
    return f"{genre.type_debiteur}-{gabarits.NOMS[genre.nature]}-{genre.support}-{genre.langue}"


def genre_demande(cle: str) -> Genre:
    genre = next((g for g in livres.catalogue() if cle_de(g) == cle), None)
    if genre is None:
        raise Http404
    return genre


def societe_demandee(request, pk: int, droit: Droit = Droit.PLANS) -> Societe:
    societe = get_object_or_404(societes_pour(request.user, Droit.PLANS), pk=pk)
    if droit != Droit.PLANS:
        verifier_droit(request.user, droit, societe)
    return societe


def modele_visible(request, pk: int) -> Modele:
    visibles = Modele.objects.visibles_pour(request.user).select_related("societe")
    return get_object_or_404(visibles.prefetch_related("versions__auteur", "versions__publiee_par"), pk=pk)


def modele_reglable(request, pk: int) -> Modele:
    modele = modele_visible(request, pk)
    verifier_droit(request.user, Droit.REGLER_PLANS, modele.societe_id)
    return modele


def brouillon_de(modele: Modele) -> VersionModele | None:
    return next((v for v in modele.versions.all() if v.statut == V.BROUILLON), None)


# --- La liste ----------------------------------------------------------------------------------------


@require_safe
@exige(Droit.PLANS)
def liste(request):
    return rendre_liste(request)


def rendre_liste(request, *, importation: ImporterModeleForm | None = None, status: int = 200):
    societes = list(societes_pour(request.user, Droit.PLANS).order_by("pk"))
    courante = societe_courante(request)
    societe = courante if courante in societes else next(iter(societes), None)
    if societe is None:
        raise Http404
    siens = Modele.objects.filter(societe=societe).prefetch_related("versions")
    par_genre: dict[Genre, list[Modele]] = {}
    for modele in siens:
        par_genre.setdefault(modeles.genre_de(modele), []).append(modele)
    filtres = {nom: request.GET.get(nom, "") for nom in ("type", "support", "langue")}
    groupes: dict[str, list[dict]] = {}
    for genre in livres.catalogue():
        portes = (genre.type_debiteur.value, genre.support, genre.langue)
        if all(v in ("", porte) for v, porte in zip(filtres.values(), portes, strict=True)):
            lignes = groupes.setdefault(TypeDebiteur(genre.type_debiteur.value).label, [])
            lignes += _lignes(genre, societe, par_genre.get(genre, []))
    contexte = {
        "societe": societe,
        "plusieurs": len(societes) > 1,
        "groupes": groupes.items(),
        "types": TypeDebiteur.choices,
        "supports": Modele.Support.choices,
        "langues": Langue.choices,
        "peut_regler": peut(request.user, Droit.REGLER_PLANS, societe),
        "importation": importation or ImporterModeleForm(),
    }
    return rendre(request, "relances/modeles/liste.html", "relances/modeles/_liste.html", contexte, status=status)


def _lignes(genre: Genre, societe: Societe, siens: list[Modele]) -> list[dict]:
    """Le texte standard de ce genre, livré ou personnalisé, puis les autres modèles de la société."""
    standard = next((m for m in siens if m.code == STANDARD and not m.retire_le), None)
    autres = [m for m in siens if m is not standard and not (m.code == STANDARD and m.retire_le)]
    return [_ligne(genre, societe, standard), *(_ligne(genre, societe, m) for m in autres)]


def _ligne(genre: Genre, societe: Societe, modele: Modele | None) -> dict:
    versions = list(modele.versions.all()) if modele else []
    publiee = next((v for v in versions if v.statut == V.PUBLIEE), None)
    livre_ = reverse("relances:modele_livre", args=[societe.pk, cle_de(genre)])
    return {
        "genre": genre,
        "modele": modele,
        "nature": NatureChoix(genre.nature.value).label,
        "support": Modele.Support(genre.support).label,
        "langue": Langue(genre.langue).label,
        "publiee": publiee if publiee and publiee.textes else None,
        "brouillon": any(v.statut == V.BROUILLON for v in versions),
        "url": adresse_du_modele(modele) if modele else livre_,
    }


def adresse_du_modele(modele: Modele) -> str:
    return reverse("relances:modele", args=[modele.pk])


# --- L'éditeur ---------------------------------------------------------------------------------------


@dataclass
class Editeur:
    """Un modèle à l'écran. `modele` None : le texte livré. `textes` : les seules retouches, saisie comprise."""

    request: object
    genre: Genre
    societe: Societe
    modele: Modele | None = None
    version: VersionModele | None = None
    form: TextesForm | None = None
    textes: dict = field(default_factory=dict)

    @property
    def cle(self) -> str:
        return cle_de(self.genre)

    @cached_property
    def peut_regler(self) -> bool:
        return peut(self.request.user, Droit.REGLER_PLANS, self.societe)

    @property
    def editable(self) -> bool:
        return self.form is not None

    @property
    def nom(self) -> str:
        return self.modele.nom if self.modele else modeles.nom_livre(self.genre)

    @property
    def publiee(self) -> VersionModele | None:
        return next((v for v in self.versions if v.statut == V.PUBLIEE), None)

    @property
    def brouillon(self) -> VersionModele | None:
        return brouillon_de(self.modele) if self.modele else None

    @cached_property
    def versions(self) -> list[VersionModele]:
        return list(self.modele.versions.all()) if self.modele else []

    @cached_property
    def clients(self) -> list[Client]:
        visibles = Client.objects.visibles_pour(self.request.user)
        proposes = list(apercus_modeles.clients_possibles(visibles, self.genre, self.societe, au=aujourd_hui()))
        choisi = self._demande
        return proposes if choisi is None or choisi in proposes else [choisi, *proposes]

    @cached_property
    def _demande(self) -> Client | None:
        """`?client=` : un client de ce type que la personne voit ; rien d'autre."""
        pk = entier(self.request.POST.get("client") or self.request.GET.get("client"))
        visibles = Client.objects.visibles_pour(self.request.user).select_related("societe", "gestionnaire")
        siens = visibles.filter(societe=self.societe, type=self.genre.type_debiteur.value)
        return siens.filter(pk=pk).first() if pk else None

    @cached_property
    def apercu(self) -> apercus_modeles.Apercu:
        return apercus_modeles.apercevoir(self.genre, self.societe, self.textes, au=aujourd_hui(), client=self._demande)

    @cached_property
    def page(self) -> dict | None:
        """Première page de la lettre, en image : ce qui sortira de l'imprimante."""
        pdf = self.apercu.pdf()
        if pdf is None:
            return None
        image = b64encode(image_de_page(pdf, 1)).decode()
        return {"image": f"data:image/png;base64,{image}", "pages": compter_pages(pdf)}

    @property
    def sans_donnees(self) -> bool:
        return self._demande is not None and self.apercu.client is None

    @cached_property
    def valeurs(self) -> list:
        return apercus_modeles.valeurs(self.apercu, self.genre)

    @cached_property
    def constats(self) -> list:
        """Le contrôle juridique du texte, sur l'exemple : ce qui fermerait la publication."""
        modele = self.modele or Modele(
            societe=self.societe, nature=self.genre.nature, type_debiteur=self.genre.type_debiteur,
            support=self.genre.support, langue=self.genre.langue,
        )  # fmt: skip
        return modeles.controler(modele, self.textes, au=aujourd_hui())

    @property
    def paragraphes(self) -> list[tuple[str, str, bool]]:
        """(libellé, texte, retouché) en lecture."""
        complets = self.genre.paragraphes() | self.textes
        return [(livres.LIBELLES.get(nom, nom), texte, nom in self.textes) for nom, texte in complets.items()]

    @property
    def copie(self) -> CopierForm:
        ailleurs = [x for x in livres.LANGUES if self.genre._replace(langue=x).paragraphes()]
        return CopierForm(initial={"nom": self.nom, "langue": self.genre.langue}, langues=ailleurs)

    @property
    def nature(self):
        return NatureChoix(self.genre.nature.value)

    @property
    def quoi(self) -> str:
        return ", ".join(
            str(x)
            for x in (
                TypeDebiteur(self.genre.type_debiteur.value).label,
                Modele.Support(self.genre.support).label.lower(),
                Langue(self.genre.langue).label.lower(),
            )
        )


def editeur_de(request, modele: Modele, *, form: TextesForm | None = None) -> Editeur:
    """`?version=n` : celle-là ; sinon le brouillon, sinon la publiée, sinon la dernière."""
    versions = list(modele.versions.all())
    demandee = next((v for v in versions if str(v.numero) == request.GET.get("version", "")), None)
    brouillon = brouillon_de(modele)
    publiee = next((v for v in versions if v.statut == V.PUBLIEE), None)
    montree = brouillon if form else demandee or brouillon or publiee or next(iter(versions), None)
    genre = modeles.genre_de(modele)
    textes = dict(montree.textes) if montree else {}
    peut_regler = peut(request.user, Droit.REGLER_PLANS, modele.societe_id)
    if form is None and montree and montree == brouillon and peut_regler:
        complets = {PREFIXE + nom: texte for nom, texte in modeles.textes_complets(montree).items()}
        initial = complets | {"note": montree.note, "attendu": modeles.empreinte(montree.textes)}
        form = TextesForm(initial=initial, genre=genre)
    elif form is not None and form.is_valid():
        textes = modeles.retouches(genre, form.textes())
    return Editeur(request, genre, modele.societe, modele, montree, form, textes)


def rendre_editeur(request, editeur: Editeur, *, status: int = 200):
    return rendre(
        request, "relances/modeles/modele.html", "relances/modeles/_modele.html", {"e": editeur}, status=status
    )


@require_safe
@exige(Droit.PLANS)
def livre(request, societe: int, cle: str):
    """Le texte livré, tant que la société ne l'a pas changé ; celui qu'elle a changé se lit sur le sien."""
    genre, sienne = genre_demande(cle), societe_demandee(request, societe)
    return rendre_editeur(request, Editeur(request, genre, sienne))


@require_safe
@exige(Droit.PLANS)
def fiche(request, pk: int):
    return rendre_editeur(request, editeur_de(request, modele_visible(request, pk)))


@require_POST
@exige(Droit.REGLER_PLANS)
def apercu(request, pk: int):
    """L'aperçu de la saisie en cours ; n'écrit rien. Sans script, la page entière avec la saisie."""
    modele = modele_reglable(request, pk)
    form = TextesForm(request.POST, genre=modeles.genre_de(modele))
    valide = form.is_valid()
    editeur = editeur_de(request, modele, form=form)
    statut = 200 if valide else 422
    page = rendre(
        request, "relances/modeles/modele.html", "relances/modeles/_apercu.html", {"e": editeur, "frais": True},
        status=200 if getattr(request, "htmx", False) else statut,
    )  # fmt: skip
    return page


@require_safe
@exige(Droit.PLANS)
def exporter(request, pk: int):
    """Le modèle en JSON : la version de l'adresse, sinon la publiée."""
    modele = modele_visible(request, pk)
    editeur = editeur_de(request, modele)
    if editeur.version is None:
        raise Http404
    contenu = json.dumps(modeles.exporter(editeur.version), ensure_ascii=False, indent=2)
    nom = f"modele-{cle_de(editeur.genre)}-{modele.code}-v{editeur.version.numero}.json"
    return HttpResponse(
        contenu,
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{nom}"'},
    )


@require_safe
@exige(Droit.PLANS)
def differences(request, pk: int):
    """Ce qui change d'une version à l'autre, mot à mot."""
    modele = modele_visible(request, pk)
    versions = {str(v.numero): v for v in modele.versions.all()}
    numeros = sorted(versions, key=int)
    if not numeros:
        raise Http404
    apres = versions.get(request.GET.get("a", ""), versions[numeros[-1]])
    avant = versions.get(request.GET.get("de", ""), versions[numeros[max(numeros.index(str(apres.numero)) - 1, 0)]])
    anciens, nouveaux = modeles.textes_complets(avant), modeles.textes_complets(apres)
    ecarts = [
        (livres.LIBELLES.get(nom, nom), mot_a_mot(anciens.get(nom, ""), texte))
        for nom, texte in nouveaux.items()
        if texte != anciens.get(nom, "")
    ]
    contexte = {"modele": modele, "avant": avant, "apres": apres, "ecarts": ecarts, "versions": list(versions.values())}
    return rendre(request, "relances/modeles/differences.html", "relances/modeles/_differences.html", contexte)


def mot_a_mot(avant: str, apres: str) -> list[tuple[str, str]]:
    """[("egal" | "ote" | "mis", texte)…] : deux textes coupés aux espaces, une insertion d'un seul tenant.

    Au-delà de MOTS_MAX, le paragraphe entier est ôté puis mis : rapprocher coûte le carré du nombre de mots.
    """
    a, b = _MOT.findall(avant), _MOT.findall(apres)
    if max(len(a), len(b)) > MOTS_MAX:
        return [(geste, texte) for geste, texte in (("ote", avant), ("mis", apres)) if texte]
    morceaux = []
    for geste, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if geste == "equal":
            morceaux.append(("egal", " ".join(a[i:j])))
            continue
        if i < j:
            morceaux.append(("ote", " ".join(a[i:j])))
        if k < m:
            morceaux.append(("mis", " ".join(b[k:m])))
    return morceaux
