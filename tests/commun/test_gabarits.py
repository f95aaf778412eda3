"""Balises de composants : ce qu'elles écrivent, ce qu'elles refusent, ce qu'elles échappent."""

from decimal import Decimal
from types import SimpleNamespace

import pytest
from django import forms
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory

from recouvrement.commun.forms import JourField, MontantField
from recouvrement.commun.templatetags.graphes import Graphe, Serie, graduations
from recouvrement.commun.templatetags.interface import jauge
from recouvrement.commun.vues import Liste, onglets
from recouvrement.comptes.models import Societe
from tests.comptes.factories import SocieteFactory

CHARGES = "{% load interface listes formats graphes %}"


def rendu(source, **contexte):
    contexte.setdefault("request", RequestFactory().get("/liste/?q=bel&v=retard&page=3"))
    return Template(CHARGES + source).render(Context(contexte))


# --- Signes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nature", "classe", "barres", "nom"),
    [
        (None, "p0", 0, "Aucune relance"),
        (0, "p0", 0, "Aucune relance"),
        (1, "p0", 0, "Avant échéance"),
        (2, "p1", 1, "Rappel courtois"),
        (5, "p4", 4, "Mise en demeure"),
        (6, "p5", 5, "Contentieux"),
    ],
)
def test_un_palier_se_dit_par_ses_barres_et_par_son_nom(nature, classe, barres, nom):
    html = rendu("{% palier nature %}", nature=nature)
    assert f'class="palier {classe}"' in html
    assert (html.count('class="on"'), html.count("<rect")) == (barres, 5)
    assert f"</svg>{nom}<" in html


def test_un_risque_a_sa_phrase_et_une_absence_de_note_ne_montre_rien():
    assert "Risque C, à surveiller</span>" in rendu('{% risque "C" %}')
    assert rendu('{% risque "" %}') == ""


def test_une_icone_est_decorative_sauf_si_on_la_nomme():
    assert 'aria-hidden="true"' in rendu('{% icone "phone" %}')
    assert 'role="img" aria-label="Échec"' in rendu('{% icone "x" libelle="Échec" %}')


@pytest.mark.parametrize(
    "source",
    [
        "{% puce texte %}",
        "{% tete titre=texte sous_titre=texte %}{% endtete %}",
        "{% chiffre texte texte note=texte %}",
        "{% vide texte texte %}{% endvide %}",
        "{% carte titre=texte droite=texte %}{% endcarte %}",
        "{% evenement quand=texte preuve=texte %}{% endevenement %}",
        "{% palier 2 texte=texte %}",
        "{% menu texte %}{% endmenu %}",
        "{% raison %}{{ texte }}{% endraison %}",
        "{% bandeau %}{{ texte }}{% endbandeau %}",
    ],
)
def test_un_nom_de_client_hostile_est_echappe_par_chaque_composant(source):
    html = rendu(source, texte="<script>alert(1)</script>")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_une_jauge_reste_dans_son_cadre_meme_plafond_depasse():
    html = jauge([("a0", Decimal(300)), ("a4", Decimal(-50)), ("a1", Decimal(300))], Decimal(400), "Encours")
    assert html.count("<rect") == 3
    assert 'x="50.00" width="49.60"' in html


def test_une_jauge_sans_plafond_ni_dette_se_dessine_vide():
    assert jauge([("a0", Decimal(0))], None, "Encours").count("<rect") == 1


def test_un_parametre_mal_orthographie_leve_une_erreur():
    with pytest.raises(TemplateSyntaxError):
        rendu('{% chiffre "DSO" "52" notte="x" %}')


def test_une_route_absente_donne_une_adresse_vide():
    assert rendu('{% adresse "clients:nulle_part" as u %}[{{ u }}]') == "[]"


# --- Listes ------------------------------------------------------------------------------------


def test_la_requete_garde_les_filtres_et_oublie_la_page():
    assert rendu('{% requete v="tous" %}') == "?q=bel&amp;v=tous"


@pytest.mark.django_db
def test_un_en_tete_annonce_son_tri_et_suit_htmx():
    liste = Liste(
        RequestFactory().get("/?tri=-nom"), Societe.objects.all(), tris={"nom": ["raison_sociale"]}, defaut="nom"
    )
    html = rendu('{% entete liste "nom" "Client" num=True %}', liste=liste)
    assert 'aria-sort="descending"' in html
    assert 'href="?tri=nom" hx-get="?tri=nom" hx-target="closest .liste"' in html


@pytest.mark.django_db
def test_la_pagination_se_tait_sur_une_seule_page_et_compte_les_autres():
    for _ in range(3):
        SocieteFactory()
    request = RequestFactory().get("/?page=2")
    seule = Liste(request, Societe.objects.all(), tris={"c": ["code"]}, defaut="c")
    double = Liste(request, Societe.objects.all(), tris={"c": ["code"]}, defaut="c", par_page=2)
    assert rendu("{% pagination liste %}", liste=seule) == ""
    html = rendu("{% pagination liste %}", liste=double)
    assert "3 à 3 sur 3" in html
    assert ("Précédente" in html, "Suivante" in html) == (True, False)


def test_un_onglet_courant_le_dit_et_un_compte_nul_s_affiche():
    request = RequestFactory().get("/?v=b")
    html = rendu('{% onglets o "Vues" %}', o=onglets(request, "v", [("a", "Tout", 1200), ("b", "Vide", 0)]))
    assert 'aria-current="page">Vide<span class="compte">0<' in html
    assert "1\u00a0200" in html


def test_un_filtre_ferme_montre_sa_valeur_et_ignore_une_valeur_inconnue():
    choix = [("3", "Claire Bonnet", 10), ("4", "Karim Saïdi")]
    source = '{% filtre_choix "g" "Gestionnaire" choix tous="tous" %}'
    request = RequestFactory().get("/?g=4")
    assert 'class="filtre actif"' in rendu(source, choix=choix, request=request)
    assert "Gestionnaire <b>Karim Saïdi</b>" in rendu(source, choix=choix, request=request)
    inconnu = rendu(source, choix=choix, request=RequestFactory().get("/?g=999"))
    assert "Gestionnaire <b>tous</b>" in inconnu
    assert 'class="filtre actif"' not in inconnu


def test_un_filtre_de_texte_porte_les_autres_parametres_sans_la_page():
    html = rendu('{% filtre_texte "q" "Nom" %}')
    assert '<input type="hidden" name="v" value="retard">' in html
    assert 'name="page"' not in html
    assert 'value="bel"' in html


def test_effacer_n_apparait_que_si_un_filtre_est_pose():
    assert 'href="?v=retard"' in rendu('{% filtres_effacer "v" %}')
    assert rendu('{% filtres_effacer "v" %}', request=RequestFactory().get("/?v=a&tri=nom")) == ""


# --- Formulaires ---------------------------------------------------------------------------------


class PromesseForm(forms.Form):
    montant = MontantField(label="Montant promis", help_text="Au plus 9 360,00 €.")
    pour = JourField(label="Pour le")
    note = forms.CharField(required=False, widget=forms.Textarea)
    mode = forms.ChoiceField(choices=[("a", "Auto"), ("v", "À valider")], widget=forms.RadioSelect)
    ferme = forms.BooleanField(required=False)


def test_un_champ_refuse_relie_son_aide_et_son_erreur_a_la_saisie():
    html = rendu("{% champ f.montant %}", f=PromesseForm({"montant": "abc"}))
    assert 'aria-describedby="id_montant_helptext id_montant_error"' in html
    assert 'id="id_montant_helptext"' in html
    assert 'id="id_montant_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'value="abc"' in html


def test_un_champ_facultatif_le_dit_et_un_choix_exclusif_est_un_groupe_nomme():
    html = rendu("{% champs f %}", f=PromesseForm())
    assert "(facultatif)" in html
    assert '<fieldset><legend class="form-label">Mode</legend>' in html
    assert html.count('class="issue"') == 2
    assert 'type="date"' in html


def test_les_erreurs_generales_sont_annoncees():
    formulaire = PromesseForm({})
    formulaire.add_error(None, "Les pièces ont changé.")
    assert 'role="alert"' in rendu("{% erreurs f %}", f=formulaire)


@pytest.mark.parametrize(
    ("saisie", "attendu"),
    [("13 646,40 €", "13646.40"), ("13\u00a0646,4", "13646.4"), ("1250.5", "1250.5"), ("1\u202f250", "1250")],
)
def test_un_montant_se_tape_a_la_francaise(saisie, attendu):
    assert MontantField().clean(saisie) == Decimal(attendu)


@pytest.mark.parametrize("saisie", ["1.250,50", "12,345", "-5", "abc", "NaN", "1e9999", ""])
def test_un_montant_ambigu_ou_impossible_est_refuse(saisie):
    with pytest.raises(forms.ValidationError):
        MontantField().clean(saisie)


# --- Graphes -------------------------------------------------------------------------------------


def graphe(**options):
    base = {
        "titre": "DSO",
        "resume": "DSO de 57,8 à 52,2 jours",
        "etiquettes": ["oct.", "nov.", "déc."],
        "series": [Serie("DSO", [Decimal("57.8"), None, Decimal("52.2")])],
    }
    return Graphe(**base | options)


@pytest.mark.parametrize(
    ("bas", "haut", "attendu"),
    [("0", "41126", [0, 20000, 40000, 60000]), ("31", "58", [30, 40, 50, 60]), ("0", "0", None), ("5", "5", None)],
)
def test_les_graduations_sont_rondes_et_encadrent_les_valeurs(bas, haut, attendu):
    grades = graduations(Decimal(bas), Decimal(haut))
    assert grades[0] <= Decimal(bas)
    assert grades[-1] >= Decimal(haut)
    assert grades[-1] > grades[0]
    if attendu:
        assert grades == attendu


def test_une_valeur_inconnue_interrompt_la_courbe_et_reste_vide_au_tableau():
    html = rendu("{% courbes g %}", g=graphe())
    assert html.count("<polyline") == 2
    assert '<th scope="row" class="date">nov.</th><td class="num"></td>' in html
    assert 'aria-label="DSO de 57,8 à 52,2 jours"' in html


def test_des_barres_partent_de_zero_et_la_derniere_inachevee_est_en_pointille():
    series = [Serie("A", [Decimal(10), Decimal(20), Decimal(5)]), Serie("B", [Decimal(1), None, Decimal(2)])]
    html = rendu("{% barres g %}", g=graphe(series=series, inacheve=True))
    assert html.count('class="vide-mois"') == 2
    assert 'class="axe0"' in html
    assert html.count('class="carre') == 2


def test_un_graphe_sans_valeur_se_dessine_quand_meme():
    vide = graphe(series=[Serie("A", [None, None, None])])
    assert "<svg" in rendu("{% courbes g %}", g=vide)
    assert "<svg" in rendu("{% barres g %}", g=vide)


def test_un_graphe_refuse_une_cinquieme_serie_et_des_valeurs_en_trop():
    with pytest.raises(ValueError):
        graphe(series=[Serie(str(i), [None] * 3) for i in range(5)])
    with pytest.raises(ValueError):
        graphe(series=[Serie("A", [None])])


def test_un_toast_annulable_garde_son_adresse_et_un_autre_n_en_a_pas():
    message = SimpleNamespace(level_tag="success", extra_tags="annuler=/p/3/annuler", __str__=lambda self: "Fait")
    assert rendu("{{ m.extra_tags|adresse_annulation }}", m=message) == "/p/3/annuler"
    assert rendu("{{ m|adresse_annulation }}", m="urgent") == ""
