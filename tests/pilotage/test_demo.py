"""La démonstration : crédible, déterministe, vraie quel que soit le jour où on la charge."""

import hashlib
import json
from collections import Counter
from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils import timezone

from clients.models import Client, Contact
from contentieux.models import Interruption
from factures.models import (
    CopieFacture,
    Echeance,
    Echeancier,
    Encaissement,
    Facture,
    Litige,
    Promesse,
    Renonciation,
)
from recouvrement.commun import pdf
from recouvrement.comptes import demo as comptes_demo
from recouvrement.comptes.models import Role, Societe, Utilisateur
from recouvrement.journal.models import Maillon
from recouvrement.pilotage import demo
from recouvrement.pilotage.demo import societes
from recouvrement.pilotage.demo.histoire import Histoire
from recouvrement.pilotage.demo.temps import Jours
from relances.domaine.echelle import Motif
from relances.models import Courrier, LeveeDeFrein, Passage, Relance, Tache, VersionEchelle, VersionModele
from relances.services.ce_soir import projeter
from relances.services.postes import en_retard_depuis

pytestmark = pytest.mark.django_db
SAMEDI = date(2026, 11, 21)
# Une nuit ouvrée ne montre ni jour chômé, ni étape déjà faite ; « attente » et « terminée » ne se montrent pas. Une
# pièce postdatée ou un grand livre périmé seraient des fautes d'import, que la démonstration n'invente pas ; aucune de
# ses sociétés ne cède ses factures.
JAMAIS_CE_SOIR = {
    Motif.RELANCEE, Motif.ATTENTE, Motif.TERMINEE, Motif.SANS_PLAN, Motif.DEJA_CE_JOUR, Motif.JOUR_NON_OUVRE,
    Motif.FUTURE, Motif.DONNEES_PERIMEES, Motif.AFFACTUREE,
}  # fmt: skip


@pytest.fixture(autouse=True)
def rendu_rapide(monkeypatch):
    """Un seul vrai PDF, servi à tous sauf aux intercalaires d'un lot : on essaie l'histoire, pas le rendu."""
    reel, rendus = pdf.rendre, []

    def rendre(html, feuille, **options):
        if "Lot postal n°" in html:
            return reel(html, feuille, **options)
        if not rendus:
            rendus.append(reel(html, feuille))
        return rendus[0]

    monkeypatch.setattr(pdf, "rendre", rendre)


def projet(au):
    societe = Societe.objects.get(code="vauquelin")
    return projeter(societe, au=Jours(au).soir)


@pytest.mark.parametrize("au", [SAMEDI, date(2026, 11, 23), date(2026, 11, 25), date(2026, 5, 15)], ids=str)
def test_chaque_situation_se_montre_quel_que_soit_le_jour_du_chargement(au):
    """Jour chômé, lundi, milieu de semaine, lendemain d'un férié : ce soir a de tout."""
    demo.charger(au=au)

    soir = projet(au)
    vus = set(soir.retenues)
    incomplete = projeter(Societe.objects.get(code="vauquelin-services"), au=Jours(au).soir)
    assert set(Motif) - JAMAIS_CE_SOIR <= vus | set(incomplete.retenues)
    natures = {e.palier.nature.name for e in soir.envois}
    assert natures >= {"RAPPEL_COURTOIS", "APPEL", "FORMALISATION", "MISE_EN_DEMEURE"}
    statuts = Counter(Courrier.objects.values_list("statut", flat=True))
    assert {"a_valider", "envoye", "a_poster", "poste", "tache", "incertain", "en_erreur"} <= set(statuts)
    assert set(Promesse.objects.values_list("statut", flat=True)) >= {"en_attente", "tenue", "rompue"}
    assert set(Courrier.objects.values_list("retour", flat=True)) >= {"", "distribue", "npai"}
    assert Litige.objects.filter(clos_le=None, a_traiter_le=au).exists()
    a_faire = set(Tache.objects.filter(faite_le=None).values_list("genre", flat=True))
    assert {Tache.Genre.DECLARER, Tache.Genre.DECISION, Tache.Genre.CONTENTIEUX} <= a_faire
    la_loi_se_montre(au)


def la_loi_se_montre(au: date) -> None:
    """Accords, levée, plans et modèles à plusieurs versions, lot et ses retours, préfet, prescription."""
    assert set(Echeancier.objects.values_list("statut", flat=True)) == {"en_cours", "tenu", "rompu"}
    levee = LeveeDeFrein.objects.get()
    assert levee.a_deux and not levee.approuvee_le and levee.pour_le == Jours(au).soir
    societe = Societe.objects.get(code="vauquelin")
    assert societe.echelles.get(code="grands-comptes").clients.count() == 2
    entreprise = VersionEchelle.objects.filter(echelle=societe.echelles.get(code="entreprise"))
    assert list(entreprise.order_by("numero").values_list("statut", flat=True)) == ["retiree", "publiee", "brouillon"]
    assert entreprise.get(statut="publiee").note
    ouvertes = Echeance.objects.ouvertes().filter(societe=societe)
    assert ouvertes.filter(niveau_version=entreprise.get(statut="retiree").pk).exists()  # finissent sous la première
    modeles = VersionModele.objects.values_list("numero", "statut")
    assert {(2, "publiee"), (2, "brouillon")} <= set(modeles)

    lot = societe.lots_postaux.get()
    plis = [pli.courrier for pli in lot.plis.all()]
    assert Counter(c.retour for c in plis) == {"distribue": 1, "non_reclame": 1, "refuse": 1, "npai": 1, "": 1}
    assert all(c.depose_le and c.depot_empreinte and c.jointes for c in plis) and lot.pdf_empreinte
    (attendu,) = (c for c in plis if not c.retour)
    assert en_retard_depuis(attendu) <= au  # à réclamer à La Poste
    en_ligne = Courrier.objects.get(electronique=True)
    assert (en_ligne.client.type, en_ligne.retour) == ("particulier", "distribue") and en_ligne.client.lre_acceptee_le

    assert set(Facture.objects.exclude(statut_fe="").values_list("statut_fe", flat=True)) == {"210", "207", "211"}
    assert Renonciation.objects.en_vigueur().exists() and CopieFacture.objects.exists()
    basses = set(Client.objects.exclude(taux_penalites=None).values_list("sous_plancher", flat=True))
    assert basses == {"", "defaut"}  # à choisir, et choisie
    assert Interruption.objects.exclude(preuve_empreinte="").exists()
    assert Tache.objects.filter(faite_le=None, cle__startswith="prescription").exists()
    assert Echeance.objects.filter(prelevement_rejete=True).exists()
    assert set(societe.dossiers.values_list("voie", flat=True)) == {"injonction", "mandatement"}
    assert societe.dossiers.count() == 3 and societe.dossiers.get(voie="mandatement").requete_empreinte
    assert {"comptabilite", "direction", "achats"} <= set(Contact.objects.values_list("role", flat=True))
    assert Client.objects.filter(type="particulier", langue="en").exists()


def test_tout_est_arrive_avant_le_jour_dit_et_les_comptes_se_recoupent():
    """Aucune date écrite ne dépasse la veille, le journal est dans l'ordre, `verifier` et les adresses aussi."""
    demo.charger(au=SAMEDI)
    veille = Jours(SAMEDI).veille
    assert not Courrier.objects.filter(arrete_au__gt=veille).exists()
    assert not Courrier.objects.filter(envoye_le__date__gt=veille).exists()
    assert not Encaissement.objects.filter(date__gt=veille).exists()
    assert not Facture.objects.filter(date_emission__gt=SAMEDI).exists()
    assert not Echeance.objects.filter(niveau_le__gt=veille).exists()
    assert Passage.objects.filter(genre="automatique").count() == len(set(Passage.objects.values_list("au", flat=True)))
    quand = list(Maillon.objects.order_by("rang").values_list("quand", flat=True))
    assert quand == sorted(quand) and quand[-1] < timezone.now()
    assert timezone.now.__module__ == "django.utils.timezone"  # l'horloge est rendue
    imputees = Echeance.objects.annotate(somme=Sum("imputations__montant")).exclude(impute=0)
    assert not imputees.exclude(somme=F("impute")).exists()
    assert not Relance.objects.exclude(courrier__client=F("echeance__client")).exists()
    sortie = StringIO()
    call_command("verifier", "--json", stdout=sortie)
    controles = json.loads(sortie.getvalue())["controles"]
    assert controles and all(c["ok"] for c in controles)
    courriels = (modele.objects.exclude(courriel="").values_list("courriel", flat=True) for modele in (Client, Contact))
    assert {adresse.rpartition(".")[2] for adresses in courriels for adresse in adresses} == {"example"}
    assert not Client.objects.exclude(siren="").exclude(siren__startswith="0").exists()  # jamais attribués


def empreinte() -> str:
    """Tout ce que le métier voit, sans les clés primaires, jetons et sels."""
    tables = (
        Client.objects.order_by("code").values_list("code", "raison_sociale", "siren", "ville", "courriel", "plafond"),
        Echeance.objects.order_by("cle_source").values_list(
            "cle_source", "date_echeance", "montant", "impute", "soldee_le", "niveau", "niveau_le"
        ),
        Encaissement.objects.order_by("cle_source").values_list("reference", "date", "montant", "impute"),
        Courrier.objects.order_by("pk").values_list("client__code", "nature", "statut", "arrete_au", "total", "retour"),
        Tache.objects.order_by("client__code", "cle", "pk").values_list("client__code", "titre", "due_le", "issue"),
        Maillon.objects.order_by("rang").values_list("quand", "action"),
    )
    return hashlib.sha256(repr([list(t) for t in tables]).encode()).hexdigest()


def empreinte_apres_chargement(graine: str) -> str:
    with transaction.atomic():
        demo.charger(au=SAMEDI, graine=graine)
        vue = empreinte()
        transaction.set_rollback(True)
    return vue


def test_meme_graine_memes_donnees():
    assert empreinte_apres_chargement("a") == empreinte_apres_chargement("a")


def test_autre_graine_autres_donnees(monkeypatch):
    monkeypatch.setattr(Histoire, "raconter", lambda self, debut: None)  # le grand livre suffit à les distinguer
    assert empreinte_apres_chargement("a") != empreinte_apres_chargement("b")


def test_recharger_n_ajoute_rien():
    sorties = []
    for _ in range(2):
        sortie = StringIO()
        call_command("donnees_demo", "--json", stdout=sortie, stderr=StringIO())
        sorties.append(json.loads(sortie.getvalue()))
    assert sorties[0] == sorties[1] == {
        "clients": 75, "factures": 450, "encaissements": Encaissement.objects.count()
    }  # fmt: skip


def test_trop_petit_pour_les_scenes_se_dit():
    with pytest.raises(CommandError, match="au moins") as refus:
        call_command("donnees_demo", "--clients", "5")
    assert refus.value.returncode == 2
    assert not Societe.objects.exists()


def test_une_personne_par_role():
    societes.creer_personnes(*societes.creer_societes())
    assert [c["role"] for c in comptes_demo.comptes()] == [
        Role.GESTIONNAIRE.label, Role.RESPONSABLE.label, Role.ADMINISTRATEUR.label, Role.LECTEUR.label
    ]  # fmt: skip
    assert Utilisateur.objects.get(courriel="claire.bonnet@vauquelin.example").check_password(comptes_demo.MOT_DE_PASSE)


@pytest.mark.parametrize(("moteur", "actif"), [("filebased", True), ("smtp", False)])
def test_le_passage_automatique_ne_s_ouvre_que_si_les_courriels_restent_ici(settings, moteur, actif):
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{moteur}.EmailBackend"
    principale, seconde = societes.creer_societes()
    assert (principale.relances_actives, seconde.relances_actives) == (actif, False)
    assert not principale.manques() and seconde.manques()


def test_un_gros_volume_s_ecrit_en_bloc():
    """Le nombre de requêtes suit les lots, pas les lignes."""
    comptes = []
    for clients, factures in ((75, 450), (275, 2450)):
        requetes = Counter()

        def compter(execute, sql, *suite, requetes=requetes):
            requetes["toutes"] += 1
            return execute(sql, *suite)

        with transaction.atomic(), connection.execute_wrapper(compter):
            compte = demo.charger(au=SAMEDI, clients=clients, factures=factures)
            assert (compte.clients, compte.factures) == (clients, factures)
            transaction.set_rollback(True)
        comptes.append(requetes["toutes"])
    assert comptes[1] - comptes[0] < 200
