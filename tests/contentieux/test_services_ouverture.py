"""Ouvrir un dossier : conditions, dérogation, échelle, numérotation (exigence 35)."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError

from clients.models import TypeDebiteur
from contentieux import services
from contentieux.models import DossierContentieux, DossierEcheance, Piece
from factures.models import Echeance, Echeancier, Facture
from factures.services import echeanciers
from factures.services.exclusions import exclure
from factures.services.prelevements import rejeter_prelevement
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.domaine.natures import Nature
from relances.models import Courrier, Tache
from tests.clients.factories import ClientFactory, SuspensionFactory
from tests.comptes.factories import UtilisateurFactory
from tests.contentieux.factories import AU, CourrierEnvoyeFactory, CreanceFactory, DebiteurFactory, DossierFactory
from tests.factures.factories import EcheanceFactory, LitigeFactory, PromesseFactory

pytestmark = pytest.mark.django_db


def ouvrir(echeances, *, au=AU, motif="Aucune réponse", derogation=""):
    client = echeances[0].client
    par = UtilisateurFactory(societe=client.societe, role=Role.RESPONSABLE)
    ids = [e.pk for e in echeances]
    return services.ouvrir_dossier(client, ids, par=par, au=au, motif=motif, derogation=derogation)


def refus(echeances, **champs) -> str:
    with pytest.raises(ValidationError) as erreur:
        ouvrir(echeances, **champs)
    assert not DossierContentieux.objects.exists()
    assert not Echeance.objects.filter(en_contentieux=True).exists()
    return " ".join(erreur.value.messages)


def test_exigence_35_les_pieces_quittent_l_echelle_et_restent_dans_l_encours():
    echeances = CreanceFactory(factures=2)
    dossier = ouvrir(echeances)

    assert dossier.reference == "CX-2026-001"
    assert Echeance.objects.filter(en_contentieux=True).count() == 2
    assert Echeance.objects.ouvertes().count() == 2, "toujours dans l'encours et la balance"
    lignes = DossierEcheance.objects.filter(dossier=dossier, active=True)
    assert [str(ligne.reste_du_a_l_ouverture) for ligne in lignes] == ["1000.00", "1000.00"]
    maillon = Maillon.objects.get(action="contentieux.ouvert")
    assert (maillon.objet_id, maillon.client_id) == (dossier.pk, dossier.client_id)


def test_le_bordereau_attend_contrat_factures_livraisons_relances_mise_en_demeure_avis_et_decompte():
    dossier = ouvrir(CreanceFactory(factures=2))
    P = Piece.Genre
    assert [(p.numero, p.genre, bool(p.chemin)) for p in dossier.pieces.all()] == [
        (1, P.CONTRAT, False),
        (2, P.FACTURE, False),
        (3, P.LIVRAISON, False),
        (4, P.FACTURE, False),
        (5, P.LIVRAISON, False),
        (6, P.RELANCE, True),
        (7, P.MISE_EN_DEMEURE, True),
        (8, P.AVIS_RECEPTION, True),
        (9, P.DECOMPTE, False),
    ]


def test_la_juridiction_est_proposee_jamais_tenue_pour_relue():
    dossier = ouvrir(CreanceFactory())
    assert (dossier.juridiction, dossier.tribunal) == ("tae", "tribunal des activités économiques de Lyon")
    assert not dossier.competence_relue


@pytest.mark.parametrize(
    ("champs", "phrase"),
    [
        ({"type": TypeDebiteur.ADMINISTRATION}, "personne publique"),
        ({"type": TypeDebiteur.A_QUALIFIER}, "à qualifier"),
        ({"jugement_ouverture_le": AU}, "Procédure collective"),
        ({"type": TypeDebiteur.PARTICULIER, "surendettement": True}, "Surendettement"),
    ],
)
def test_un_client_inadmissible_est_refuse_meme_par_derogation(champs, phrase):
    """Jamais une administration par injonction ; une procédure collective arrête les poursuites (exigence 36)."""
    echeances = CreanceFactory(client=DebiteurFactory(**champs))
    assert phrase in refus(echeances, derogation="décision du directeur")


def test_procedure_close_seule_la_creance_nee_depuis_va_en_injonction():
    """C. com., art. L622-17, L622-21 : ce qui est né avant le jugement s'est déclaré, la clôture n'y rend rien."""
    client = DebiteurFactory(
        jugement_ouverture_le=AU - timedelta(days=110),
        procedure_cloturee_le=AU - timedelta(days=5),
        procedure_issue="plan",
    )
    avant, depuis = CreanceFactory(client=client)
    Facture.objects.filter(pk=avant.facture_id).update(date_execution=AU - timedelta(days=130))
    Facture.objects.filter(pk=depuis.facture_id).update(date_execution=AU - timedelta(days=100))
    examen = services.examiner(client, au=AU)
    refus = {c.echeance.pk: c.refus for c in examen.candidates}
    assert examen.refus == ()
    assert "avant le jugement" in refus[avant.pk][0] and refus[depuis.pk] == []


def test_un_jugement_a_venir_ne_ferme_pas_encore_la_voie():
    client = DebiteurFactory(jugement_ouverture_le=AU + timedelta(days=1))
    assert ouvrir(CreanceFactory(client=client)).reference


def test_un_particulier_va_au_tribunal_judiciaire():
    dossier = ouvrir(CreanceFactory(client=DebiteurFactory(type=TypeDebiteur.PARTICULIER, forme="")))
    assert (dossier.juridiction, dossier.tribunal) == ("judiciaire", "")


@pytest.mark.parametrize("retard", [0, -1])
def test_une_echeance_du_jour_ou_a_venir_n_est_pas_echue(retard):
    client = DebiteurFactory()
    echeance = EcheanceFactory(client=client, echue_le=AU - timedelta(days=retard))
    CourrierEnvoyeFactory([echeance])
    assert "pas encore échue" in refus([echeance], derogation="motif")


def test_un_litige_meme_partiel_ferme_l_injonction():
    echeances = CreanceFactory(factures=2)
    LitigeFactory(echeance=echeances[1], montant_conteste=10)
    assert "litige ouvert" in refus(echeances, derogation="motif")


def test_une_echeance_soldee_ou_d_un_autre_client_est_refusee():
    client = DebiteurFactory()
    soldee = EcheanceFactory(client=client, echue_le=AU - timedelta(days=90), soldee=True)
    assert "déjà soldée" in refus([soldee], derogation="motif")
    etrangere = CreanceFactory(client=ClientFactory(societe=client.societe))[0]
    assert "n'est pas à ce client" in refus([CreanceFactory(client=client)[0], etrangere])


def test_deux_devises_ne_font_pas_un_dossier():
    client = DebiteurFactory()
    euros, dollars = CreanceFactory(client=client, factures=1), CreanceFactory(client=client, factures=1, devise="USD")
    assert "deux devises" in refus([*euros, *dollars])


@pytest.mark.parametrize("motif", ["", "   "])
def test_le_motif_est_obligatoire(motif):
    assert "pourquoi" in refus(CreanceFactory(), motif=motif)


def test_aucune_echeance_aucun_dossier():
    client = DebiteurFactory()
    with pytest.raises(ValidationError, match="au moins une"):
        services.ouvrir_dossier(client, [], par=UtilisateurFactory(societe=client.societe), au=AU, motif="x")


@pytest.mark.parametrize(
    ("preparer", "phrase"),
    [
        (lambda es: None, "aucune mise en demeure envoyée"),
        (lambda es: CourrierEnvoyeFactory(es, statut=Courrier.Statut.A_POSTER), "aucune mise en demeure envoyée"),
        (lambda es: CourrierEnvoyeFactory(es, nature=Nature.FORMALISATION), "aucune mise en demeure envoyée"),
        (lambda es: CourrierEnvoyeFactory(es, limite=AU), "court jusqu'au 20/11/2026"),
        (lambda es: CourrierEnvoyeFactory(es, retour=Courrier.Retour.NPAI), "inconnu à l'adresse"),
        (
            lambda es: (CourrierEnvoyeFactory(es), PromesseFactory(echeances=es, date_promise=AU + timedelta(days=3))),
            "promesse en cours",
        ),
        (
            lambda es: (CourrierEnvoyeFactory(es), SuspensionFactory(client=es[0].client, du=AU)),
            "Relances suspendues",
        ),
    ],
)  # fmt: skip
def test_une_condition_manquante_se_leve_par_une_derogation_motivee_et_tracee(preparer, phrase):
    echeances = CreanceFactory(demeure=False)
    preparer(echeances)
    assert phrase in refus(echeances)

    dossier = ouvrir(echeances, derogation="Débiteur parti, adresse connue du gérant")
    assert dossier.derogation
    detail = Maillon.objects.get(action="contentieux.ouvert").detail
    assert detail.donnees["derogation"] == dossier.derogation


def test_la_veille_de_la_date_limite_ferme_le_lendemain_ouvre():
    echeances = CreanceFactory(demeure=False)
    CourrierEnvoyeFactory(echeances, limite=AU - timedelta(days=1))
    assert ouvrir(echeances)


def test_une_echeance_n_entre_que_dans_un_dossier_en_cours():
    dossier = DossierFactory()
    echeances = [ligne.echeance for ligne in dossier.lignes.all()]
    with pytest.raises(ValidationError, match="CX-2026-001"):
        ouvrir(echeances)
    services.clore(dossier, issue="Accord", le=AU, par=dossier.ouvert_par, au=AU, reprendre_les_relances=True)
    assert ouvrir(echeances).reference == "CX-2026-002"


def test_les_references_se_suivent_par_societe_et_par_annee():
    premier = DossierFactory()
    societe = premier.societe
    with pytest.raises(ValidationError):  # un refus ne consomme pas de numéro
        ouvrir(CreanceFactory(client=DebiteurFactory(societe=societe), demeure=False))
    assert DossierFactory(client=DebiteurFactory(societe=societe)).reference == "CX-2026-002"
    assert DossierFactory().reference == "CX-2026-001", "une autre société"
    suivant = DossierFactory(client=DebiteurFactory(societe=societe), au=AU.replace(year=2027))
    assert suivant.reference == "CX-2027-001"


def test_apres_999_la_numerotation_continue():
    dossier = DossierFactory()
    DossierContentieux.objects.filter(pk=dossier.pk).update(reference="CX-2026-999")
    assert DossierFactory(client=DebiteurFactory(societe=dossier.societe)).reference == "CX-2026-1000"


def test_ouvrir_clot_la_tache_qui_le_demandait():
    echeances = CreanceFactory()
    client = echeances[0].client
    champs = {"societe": client.societe, "client": client, "titre": "x", "due_le": AU}
    demande = Tache.objects.create(genre=Tache.Genre.CONTENTIEUX, cle="contentieux", **champs)
    autre = Tache.objects.create(genre=Tache.Genre.APPEL, cle="appel", **champs)
    ouvrir(echeances)
    demande.refresh_from_db()
    autre.refresh_from_db()
    assert "CX-2026-001" in demande.issue and demande.faite_le
    assert autre.faite_le is None


def test_un_courriel_sans_pdf_devient_une_piece_texte():
    echeances = CreanceFactory(demeure=False)
    CourrierEnvoyeFactory(
        echeances, nature=Nature.RAPPEL_COURTOIS, pdf_chemin="", pdf_empreinte="", texte="Bonjour, un oubli ?"
    )
    CourrierEnvoyeFactory(echeances)
    piece = ouvrir(echeances).pieces.get(genre=Piece.Genre.RELANCE)
    assert (piece.type_mime, piece.pages) == ("text/plain", 1)


def test_l_examen_dit_pourquoi_pas_piece_par_piece_en_requetes_constantes(django_assert_num_queries):
    client = DebiteurFactory()
    CreanceFactory(client=client, factures=2)
    EcheanceFactory(client=client, echue_le=AU + timedelta(days=9))
    with django_assert_num_queries(8):
        examen = services.examiner(client, au=AU)
    assert examen.possible
    assert [bool(c.refus) for c in examen.candidates] == [False, False, True]
    CreanceFactory(client=client, factures=9)
    with django_assert_num_queries(8):
        services.examiner(client, au=AU)


def accord(echeances, *, clause=False, termes=(30, 60)):
    client, n = echeances[0].client, len(termes)
    du = sum(e.reste_du for e in echeances)
    return echeanciers.accepter(
        client, echeances=echeances, mensualites=[(AU + timedelta(days=j), du / n) for j in termes], accepte_le=AU,
        clause_decheance=clause, au=AU, acteur=UtilisateurFactory(societe=client.societe),
    )  # fmt: skip


def test_une_piece_en_echeancier_n_entre_pas_au_dossier_avant_qu_une_personne_l_annule():
    """Le terme accordé ne s'exige pas (C. civ., art. 1305-2) : aucune dérogation n'y peut rien."""
    echeances = CreanceFactory()
    echeancier = accord(echeances)
    assert "annulez-le d'abord" in refus(echeances, derogation="décision du directeur")
    echeanciers.annuler_echeancier(
        echeancier, motif="Deux mensualités manquées", au=AU, acteur=UtilisateurFactory(societe=echeances[0].societe)
    )
    assert ouvrir(echeances).reference


def rompu(echeances, *, clause: bool) -> None:
    """Échéancier rompu trente et un jours après l'accord."""
    pk = accord(echeances, clause=clause).pk
    Echeancier.objects.filter(pk=pk).update(statut=Echeancier.Statut.ROMPU, conclu_le=AU + timedelta(days=31))


@pytest.mark.parametrize(("au", "ouvert"), [(59, False), (61, True)])
def test_un_echeancier_rompu_sans_clause_attend_son_dernier_terme(au, ouvert):
    """C. civ., art. 1305-4 : sans clause de déchéance, le solde n'est pas exigible plus tôt."""
    echeances = CreanceFactory()
    rompu(echeances, clause=False)
    jour = AU + timedelta(days=au)
    if ouvert:
        assert ouvrir(echeances, au=jour).reference
    else:
        assert "sans clause de déchéance" in refus(echeances, au=jour, derogation="motif")


@pytest.mark.parametrize(
    ("demeure", "au", "ouvert"), [(None, 50, False), (31, 50, False), (32, 50, True), (None, 61, True)]
)
def test_rompu_avec_clause_la_decheance_attend_une_mise_en_demeure_posterieure(demeure, au, ouvert):
    """1re civ., 22/06/2017 : la clause ne dispense pas de mettre en demeure après le manquement."""
    echeances = CreanceFactory(demeure=demeure is None)
    rompu(echeances, clause=True)
    if demeure:
        CourrierEnvoyeFactory(echeances, le=AU + timedelta(days=demeure))
    jour = AU + timedelta(days=au)
    if ouvert:
        assert ouvrir(echeances, au=jour).reference
    else:
        assert "mise en demeure postérieure" in refus(echeances, au=jour, derogation="motif")


def test_un_litige_sur_l_autre_echeance_de_la_facture_ferme_l_injonction():
    (echeance,) = CreanceFactory(factures=1)
    soeur = EcheanceFactory(facture=echeance.facture, echue_le=AU + timedelta(days=30), montant=100)
    LitigeFactory(echeance=soeur, montant_conteste=100)
    assert "litige ouvert" in refus([echeance], derogation="motif")


@pytest.mark.parametrize(
    ("statut", "ferme", "deroge"),
    [("207", True, False), ("208", True, False), ("210", True, False), ("213", True, False),
     ("206", False, True), ("211", False, True), ("212", False, True), ("205", False, False), ("", False, False)],
)  # fmt: skip
def test_le_statut_de_la_facture_electronique_ferme_la_voie(statut, ferme, deroge):
    """Refusée, rejetée, en litige ou suspendue, la créance n'est pas certaine (droit.md § 12, CPC art. 1405)."""
    (echeance,) = CreanceFactory(factures=1)
    Facture.objects.update(statut_fe=statut)
    if ferme or deroge:
        assert f"statut {statut}" in refus([echeance], derogation="motif" if ferme else "")
    if not ferme:
        assert ouvrir([echeance], derogation="motif" if deroge else "").reference


def test_une_creance_prelevee_attend_le_rejet_du_prelevement():
    echeances = CreanceFactory(client=DebiteurFactory(prelevement=True), factures=1)
    assert "prélèvement" in refus(echeances, derogation="motif")
    rejeter_prelevement(echeances[0], motif="provision", acteur=UtilisateurFactory(societe=echeances[0].societe))
    assert ouvrir(echeances).reference


def test_une_mise_en_demeure_recue_apres_sa_date_limite_laisse_un_delai_raisonnable():
    """C. civ., art. 1231 : remise deux jours après sa date limite, elle laisse huit jours de plus."""
    (echeance,) = CreanceFactory(factures=1, demeure=False)
    remise = date(2026, 11, 5)
    CourrierEnvoyeFactory(
        [echeance], le=date(2026, 10, 19), limite=date(2026, 11, 3), presente_le=remise, retour_le=remise
    )
    assert "délai raisonnable jusqu'au 13/11/2026" in refus([echeance], au=date(2026, 11, 13))
    assert ouvrir([echeance], au=date(2026, 11, 14)).reference


def test_une_exclusion_en_cours_se_dit_et_demande_une_derogation():
    (echeance,) = CreanceFactory(factures=1)
    par = UtilisateurFactory(societe=echeance.societe)
    exclure(echeance, motif="Avoir attendu", du=AU, au=AU + timedelta(days=20), acteur=par)
    assert "exclue des relances jusqu'au" in refus([echeance])
    assert ouvrir([echeance], derogation="l'avoir ne viendra pas").derogation
