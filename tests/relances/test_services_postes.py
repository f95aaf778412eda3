"""Dépôt, présentation, retours, correction, voie électronique, prestataire (exigences 26 et 27, droit.md § 6)."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured

from clients.models import Client, TypeDebiteur
from recouvrement.commun import depot
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.domaine.statuts import TransitionInterdite
from relances.models import Courrier, Relance, Tache
from relances.recommandes import DepotRefuse, Fournisseur, Manuel, PliARemettre, Suivi, fournisseur
from relances.rendu import lettres
from relances.services import gestes, postes, receptions, remises
from relances.services.etats import Refus
from relances.services.preparation import composer
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

from .postaux import MARDI, a_poster

pytestmark = pytest.mark.django_db
S, R = Courrier.Statut, Courrier.Retour
J = timedelta(days=1)
PDF = (b"%PDF-1.4 scan", ".pdf")


@pytest.fixture(autouse=True)
def depot_jetable(settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"


@pytest.fixture
def societe():
    return SocieteFactory()


@pytest.fixture
def par(societe):
    return UtilisateurFactory(role=Role.RESPONSABLE, societe=societe)


@pytest.fixture
def poste(societe, par) -> Courrier:
    (courrier,) = a_poster(societe, 1, par=par)
    postes.poster(courrier, par=par, depose_le=MARDI, numero_suivi="2C12345678901", au=MARDI, preuve=PDF)
    courrier.refresh_from_db()
    return courrier


def rendre(courrier, retour, *, le=MARDI + 3 * J, par=None, **champs):
    postes.consigner_retour(courrier, par=par, retour=retour, retour_le=le, au=le, **champs)
    courrier.refresh_from_db()


def test_la_preuve_de_depot_se_range_par_empreinte_et_se_joint_apres_coup(poste, par):
    """Exigence 27."""
    assert depot.lire(poste.depot_chemin, poste.depot_empreinte) == PDF[0]
    premiere = poste.depot_empreinte
    postes.joindre(poste, champ="depot", fichier=(b"%PDF-1.4 meilleur scan", ".pdf"), par=par)
    poste.refresh_from_db()
    assert poste.depot_empreinte != premiere
    assert Maillon.objects.get(action="courrier.depot_joint").detail.donnees["remplace"] == premiere


def test_un_numero_deja_pris_nomme_son_pli_et_une_cle_fausse_se_refuse(societe, par, poste):
    (autre,) = a_poster(societe, 1, par=par)
    with pytest.raises(Refus, match=poste.client.raison_sociale):
        postes.poster(autre, par=par, depose_le=MARDI, numero_suivi="2C 123 456 7890 1")
    with pytest.raises(Refus, match="clé de contrôle"):
        postes.poster(autre, par=par, depose_le=MARDI, numero_suivi="RR473124828JP")
    with pytest.raises(Refus, match="trente"):
        postes.poster(autre, par=par, depose_le=MARDI, numero_suivi="9" * 300)


def test_la_presentation_se_note_avant_l_avis(poste, par):
    with pytest.raises(Refus, match="à venir"):
        postes.consigner_presentation(poste, presente_le=MARDI + 2 * J, par=par, au=MARDI + J)
    with pytest.raises(Refus, match="dépôt"):
        postes.consigner_presentation(poste, presente_le=MARDI - J, par=par, au=MARDI)
    postes.consigner_presentation(poste, presente_le=MARDI + J, par=par, au=MARDI + J)
    rendre(poste, R.NON_RECLAME, le=MARDI + 17 * J)
    assert poste.presente_le == MARDI + J  # gardée au retour
    with pytest.raises(TransitionInterdite):
        postes.consigner_presentation(poste, presente_le=MARDI + 2 * J, par=par, au=MARDI + 20 * J)


@pytest.mark.parametrize(
    ("retour", "presente", "attendu"),
    [
        (R.DISTRIBUE, MARDI + J, MARDI + 3 * J),  # avisé le lendemain, remis deux jours après
        (R.NON_RECLAME, MARDI + J, MARDI + J),
        (R.REFUSE, MARDI + J, MARDI + J),
        (R.NPAI, MARDI + J, None),
    ],
)
def test_la_date_de_reception_fait_courir_les_interets_d_un_consommateur(poste, retour, presente, attendu):
    """droit.md § 17 : la remise, à défaut la première présentation."""
    echeance = poste.relances.get().echeance_id
    assert receptions.mises_en_demeure_recues([echeance], au=MARDI + 30 * J) == {}
    rendre(poste, retour, presente_le=presente)
    assert receptions.date_de_reception(poste) == attendu
    assert receptions.mises_en_demeure_recues([echeance], au=MARDI + 30 * J).get(echeance) == attendu
    assert receptions.mises_en_demeure_recues([echeance], au=MARDI) == {}


def test_un_retour_ne_se_saisit_qu_une_fois(poste):
    rendre(poste, R.DISTRIBUE)
    with pytest.raises(TransitionInterdite, match="corrigez"):
        rendre(poste, R.REFUSE)
    assert poste.retour == R.DISTRIBUE


def test_inconnu_a_l_adresse_rend_le_niveau_bannit_l_adresse_et_ouvre_la_tache(poste):
    rendre(poste, R.NPAI)
    assert poste.statut == S.EN_ERREUR and poste.relances.get().statut == Relance.Statut.EN_ERREUR
    assert Client.objects.get(pk=poste.client_id).adresse_invalide_le == MARDI + 3 * J
    assert Tache.objects.get(cle=f"npai:{poste.pk}").titre == "Retrouver l'adresse (NPAI)"


def test_un_npai_saisi_par_erreur_se_corrige_sans_effacer(poste, par):
    niveau = poste.relances.get().echeance.niveau
    rendre(poste, R.NPAI, scan=PDF)
    donnees = {"par": par, "au": MARDI + 5 * J, "retour": R.DISTRIBUE, "retour_le": MARDI + 2 * J}
    with pytest.raises(Refus, match="pourquoi"):
        postes.corriger_retour(poste, motif=" ", **donnees)
    postes.corriger_retour(poste, motif="lu à l'envers", **donnees)
    poste.refresh_from_db()
    relance = poste.relances.get()
    assert (poste.statut, poste.retour, poste.erreur) == (S.POSTE, R.DISTRIBUE, "")
    assert relance.statut == Relance.Statut.ENVOYEE and relance.echeance.niveau == niveau
    assert Client.objects.get(pk=poste.client_id).adresse_invalide_le is None
    assert not Tache.objects.filter(cle=f"npai:{poste.pk}", faite_le=None).exists()
    trace = Maillon.objects.get(action="courrier.retour_corrige").detail
    assert trace.donnees["ancien"]["retour"] == "npai" and "lu à l'envers" in trace.texte
    assert poste.avis_empreinte  # le scan joint reste
    with pytest.raises(Refus, match="déjà saisi"):
        postes.corriger_retour(poste, motif="encore", **donnees)


def test_un_npai_deja_remis_a_envoyer_ne_se_corrige_plus(poste, par):
    rendre(poste, R.NPAI)
    gestes.remettre_a_envoyer(poste, par=par, au=MARDI + 4 * J)
    with pytest.raises(TransitionInterdite):
        postes.corriger_retour(
            poste, par=par, au=MARDI + 5 * J, motif="trop tard", retour=R.REFUSE, retour_le=MARDI + 2 * J
        )


def test_un_refus_corrige_en_npai_ouvre_la_suite(poste, par):
    rendre(poste, R.REFUSE)
    postes.corriger_retour(
        poste, par=par, au=MARDI + 5 * J, motif="case voisine", retour=R.NPAI, retour_le=MARDI + 3 * J
    )
    poste.refresh_from_db()
    assert poste.statut == S.EN_ERREUR and Tache.objects.filter(cle=f"npai:{poste.pk}", faite_le=None).exists()


@pytest.mark.parametrize("le", [MARDI - J, MARDI + 9 * J])
def test_un_retour_avant_le_depot_ou_a_venir_se_refuse(poste, le):
    with pytest.raises(Refus):
        postes.consigner_retour(poste, par=None, retour=R.REFUSE, retour_le=le, au=MARDI + 5 * J)


def test_un_avis_se_reclame_apres_vingt_jours_ouvres(poste, par, settings):
    """Déposé le mardi 10 février 2026 : vingt jours ouvrés mènent au mardi 10 mars compris."""
    assert postes.en_retard_depuis(poste) == date(2026, 3, 11)
    assert not postes.reclamer(poste, par=par, au=date(2026, 3, 10))
    assert postes.reclamer(poste, par=par, au=date(2026, 3, 11))
    assert not postes.reclamer(poste, par=par, au=date(2026, 3, 12))  # double clic
    assert "2C 123 456 7890 1" in Tache.objects.get(cle=f"reclamer:{poste.pk}").titre
    settings.RETOUR_AVIS_JOURS = 2
    assert postes.en_retard_depuis(poste) == date(2026, 2, 13)
    rendre(poste, R.DISTRIBUE)
    assert postes.en_retard_depuis(poste) is None


# --- Recommandé électronique et prestataire ---------------------------------------------------------------


class Faux:
    """Prestataire d'essai : ce qu'on lui remet, ce qu'il répond."""

    code, a_la_main, electronique = "faux", False, True
    panne: Exception | None = None

    def __init__(self):
        self.recus: list[PliARemettre] = []
        self.repondra = Suivi("LRE0001", depose_le=MARDI)

    def deposer(self, pli):
        self.recus.append(pli)
        if self.panne:
            raise self.panne
        return self.repondra

    def statut(self, suivi):
        return self.repondra


@pytest.fixture
def a_remettre(societe, par) -> Courrier:
    (courrier,) = a_poster(societe, 1, par=par)
    Client.objects.filter(pk=courrier.client_id).update(courriel="a@client.example", courriel_invalide_le=None)
    courrier.refresh_from_db()
    return Courrier.objects.select_related("client").get(pk=courrier.pk)


def choisir(courrier, par, prestataire=None, **champs):
    prestataire = prestataire or Manuel()
    remises.choisir_la_voie(courrier, electronique=True, par=par, au=MARDI, fournisseur=prestataire)
    courrier.refresh_from_db()


def test_le_papier_est_la_voie_par_defaut(a_remettre):
    assert a_remettre.electronique is False and Manuel().a_la_main


def test_un_particulier_sans_accord_ne_recoit_pas_de_recommande_electronique(a_remettre, par):
    """CPCEpost, art. L100."""
    Client.objects.filter(pk=a_remettre.client_id).update(type=TypeDebiteur.PARTICULIER)
    with pytest.raises(Refus, match="L100"):
        choisir(a_remettre, par)
    Client.objects.filter(pk=a_remettre.client_id).update(lre_acceptee_le=MARDI - J)
    with pytest.raises(Refus, match="médiateur"):  # refaite, la lettre repasse le contrôle
        choisir(a_remettre, par)
    type(a_remettre.societe).objects.update(mediateur="Médiation Exemple, 12 rue de la Concorde, 75000 Paris")
    choisir(a_remettre, par)
    assert a_remettre.electronique


def test_l_en_tete_de_la_lettre_archivee_nomme_la_voie(a_remettre, par):
    """Un recommandé électronique n'a pas d'avis de réception : la lettre est refaite dès que la voie change."""

    def en_tete():
        return lettres.rendre_html(composer(a_remettre, au=MARDI))

    papier = a_remettre.pdf_empreinte
    assert "Lettre recommandée avec avis de réception" in en_tete()
    choisir(a_remettre, par)
    assert "Lettre recommandée électronique" in en_tete() and "avis de réception" not in en_tete()
    assert a_remettre.pdf_empreinte != papier
    electronique = a_remettre.pdf_empreinte
    choisir(a_remettre, par)
    assert a_remettre.pdf_empreinte == electronique, "la même voie ne refait rien"


def test_un_prestataire_non_qualifie_n_est_pas_admis(a_remettre, par):
    prestataire = Faux()
    prestataire.electronique = False
    with pytest.raises(Refus, match="qualifié"):
        choisir(a_remettre, par, prestataire)


def test_le_recommande_electronique_a_trois_issues_quinze_jours_et_une_preuve_a_copier(a_remettre, par):
    choisir(a_remettre, par)
    postes.poster(a_remettre, par=par, depose_le=MARDI, numero_suivi="LRE0001")
    a_remettre.refresh_from_db()
    with pytest.raises(Refus, match="accepté, refusé ou non réclamé"):
        rendre(a_remettre, R.NPAI)
    with pytest.raises(Refus, match="25/02/2026"):  # avisé le 10 : quinze jours à compter du 11
        rendre(a_remettre, R.NON_RECLAME, le=date(2026, 2, 25))
    rendre(a_remettre, R.NON_RECLAME, le=date(2026, 2, 26), presente_le=MARDI)
    assert receptions.issue_de(a_remettre) == "lre_non_reclamee"
    tache = Tache.objects.get(cle=f"lre:{a_remettre.pk}")
    assert "doubler en papier" in tache.titre and tache.due_le == date(2026, 3, 5)


def test_l_interface_d_un_prestataire_est_celle_du_faux_et_du_manuel():
    assert isinstance(Faux(), Fournisseur) and isinstance(Manuel(), Fournisseur)


def test_le_prestataire_se_choisit_par_reglage(settings):
    assert fournisseur().code == "manuel"
    settings.FOURNISSEUR_RECOMMANDES = "tests.relances.test_services_postes.Faux"
    assert fournisseur().code == "faux"
    for faux in ("nulle.part.Rien", "datetime.date", "builtins.dict"):
        settings.FOURNISSEUR_RECOMMANDES = faux
        with pytest.raises(ImproperlyConfigured):
            fournisseur()


def test_remettre_depose_le_pdf_archive_et_pose_le_suivi(a_remettre, par):
    """Exigence 27 : le prestataire reçoit la lettre telle qu'archivée."""
    prestataire = Faux()
    remises.remettre(a_remettre, par=par, au=MARDI, fournisseur=prestataire)
    a_remettre.refresh_from_db()
    assert prestataire.recus[0].pdf == depot.lire(a_remettre.pdf_chemin, a_remettre.pdf_empreinte)
    assert (a_remettre.statut, a_remettre.numero_suivi) == (S.POSTE, "LRE0001")
    with pytest.raises(TransitionInterdite):
        remises.remettre(a_remettre, par=par, au=MARDI, fournisseur=prestataire)
    assert len(prestataire.recus) == 1


def test_une_remise_interrompue_n_est_jamais_rejouee(a_remettre, par):
    """Exigence 20 : le sort est inconnu, une personne vérifie."""
    prestataire = Faux()
    prestataire.panne = TimeoutError("plus de réponse")
    with pytest.raises(TimeoutError):
        remises.remettre(a_remettre, par=par, au=MARDI, fournisseur=prestataire)
    prestataire.panne = None
    with pytest.raises(Refus, match="déjà été tentée"):
        remises.remettre(a_remettre, par=par, au=MARDI, fournisseur=prestataire)
    assert len(prestataire.recus) == 1


def test_une_remise_refusee_se_dit_et_se_retente(a_remettre, par):
    prestataire = Faux()
    prestataire.panne = DepotRefuse("adresse illisible")
    for _fois in range(2):
        with pytest.raises(Refus, match="adresse illisible"):
            remises.remettre(a_remettre, par=par, au=MARDI, fournisseur=prestataire)
    a_remettre.refresh_from_db()
    assert a_remettre.statut == S.A_POSTER and len(prestataire.recus) == 2
    with pytest.raises(Refus, match="imprimez le lot"):
        remises.remettre(a_remettre, par=par, au=MARDI, fournisseur=Manuel())


def test_relever_ecrit_la_presentation_puis_le_retour(poste, par):
    prestataire = Faux()
    prestataire.repondra = Suivi(poste.numero_suivi, MARDI, presente_le=MARDI + J)
    assert remises.relever(poste, au=MARDI + 2 * J, fournisseur=prestataire, par=par)
    poste.refresh_from_db()
    assert poste.presente_le == MARDI + J
    prestataire.repondra = Suivi(poste.numero_suivi, MARDI, MARDI + J, "distribue", MARDI + 2 * J)
    assert remises.relever(poste, au=MARDI + 2 * J, fournisseur=prestataire, par=par)
    poste.refresh_from_db()
    assert (poste.retour, poste.retour_le) == ("distribue", MARDI + 2 * J)
    assert not remises.relever(poste, au=MARDI + 3 * J, fournisseur=Manuel())
