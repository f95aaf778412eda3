"""L'accord écrit : proposé dans des bornes, approuvé, signé, suivi (exigence 32 ; droit.md § 9)."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clients.models import Document
from contentieux.services.prescriptions import de_la_facture
from factures.domaine.accords import repartir
from factures.models import Accord, Echeance, Echeancier, NatureAvoir, Promesse, ReglageAccords, Renonciation
from factures.services import desimputer, imputer
from factures.services.accords import de_l_accord, en_json, examiner, lire_termes
from recouvrement.commun import depot
from recouvrement.comptes.models import Role
from recouvrement.journal.models import Maillon
from relances.models import Message, Tache
from relances.services import accords, accords_pdf
from relances.services.accords_nuit import noter_sommation
from relances.services.echeanciers import conclure_echeanciers
from relances.services.taches import conclure_promesses
from tests.clients.factories import ClientFactory, SuspensionFactory
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory, EncaissementFactory, LitigeFactory, PromesseFactory

pytestmark = pytest.mark.django_db
AU = date(2026, 11, 20)
PREMIERE = date(2026, 12, 4)
D = Decimal
S = Accord.Statut
G = Accord.Genre


@pytest.fixture(autouse=True)
def pdf_bref(request, monkeypatch):
    """Un PDF par accord coûte une demi-seconde : un seul essai le rend vraiment, `test_rendu_accords` les regarde."""
    if "son_pdf" not in request.node.name:
        monkeypatch.setattr(accords_pdf, "apercevoir", lambda accord: f"%PDF-1.4 {accord.reference}".encode())


@pytest.fixture
def belcourt():
    return ClientFactory()


@pytest.fixture
def pieces(belcourt):
    return [EcheanceFactory(client=belcourt, montant=m) for m in (600, 300)]


@pytest.fixture
def claire(belcourt):
    return UtilisateurFactory(societe=belcourt.societe)


@pytest.fixture
def rene(belcourt):
    return UtilisateurFactory(societe=belcourt.societe, role=Role.RESPONSABLE)


@pytest.fixture
def proposer(belcourt, pieces, claire):
    def proposer(
        genre="echeancier", *, client=None, dues=None, acteur=claire, au=AU, cle="", par_le_client=False, **termes
    ):
        dues = pieces if dues is None else dues
        if genre in ("echeancier", "novation") and "mensualites" not in termes:
            termes["mensualites"] = repartir(sum(e.reste_du for e in dues), termes.pop("n", 3), PREMIERE)
        return accords.proposer(
            client or belcourt, genre=genre, echeances=dues, termes=termes, au=AU, acteur=acteur, cle=cle,
            par_le_client=par_le_client,
        )  # fmt: skip

    return proposer


def exemplaire(client, contenu=b"%PDF-1.4 signe"):
    chemin, empreinte = depot.ranger(contenu, ".pdf")
    champs = {"nom": "signe.pdf", "type_mime": "application/pdf", "chemin": chemin, "taille": 9}
    return Document.objects.get_or_create(client=client, empreinte=empreinte, defaults=champs)[0]


def signer(accord, *, au=AU, **champs):
    base = {
        "signature": "papier",
        "nom": "Agathe Delorme",
        "qualite": "présidente",
        "exemplaire": exemplaire(accord.client),
    }
    return accords.signer(accord, au=au, **base | champs)


def payer(client, parts, le):
    total = sum(m for _e, m in parts)
    encaissement = EncaissementFactory(client=client, montant=total, date=le)
    imputer(encaissement, parts, au=le, cle=f"p{encaissement.pk}", acteur=None)


def nuit(societe, au, envoyer=True):
    conclure_promesses(societe, au=au)
    conclure_echeanciers(societe, au=au)
    accords.conclure_accords(societe, au=au, envoyer=envoyer)


def etat(accord):
    accord.refresh_from_db()
    return accord.statut


def restes(pieces):
    return list(Echeance.objects.filter(pk__in=[e.pk for e in pieces]).order_by("pk").values_list("montant", "impute"))


# --- Proposer ------------------------------------------------------------------------------------


def test_exigence_32_un_accord_propose_a_son_pdf_et_ne_change_rien(proposer, pieces):
    """Exigence 32 : le protocole est un PDF ; l'effet ne vient qu'à la signature."""
    accord = proposer()
    assert accord.statut == S.PROPOSE and accord.reference == f"ACC-2026-{accord.pk:06d}"
    assert depot.lire(accord.pdf_chemin, accord.pdf_empreinte)[:5] == b"%PDF-"
    assert (accord.montant, accord.clause_decheance, accord.expire_le) == (900, True, date(2026, 12, 3))
    assert not Echeancier.objects.exists()
    assert Maillon.objects.filter(action="accord.propose").count() == 1


def test_le_formulaire_renvoye_deux_fois_n_ecrit_qu_un_accord(proposer):
    assert proposer(cle="abc").pk == proposer(cle="abc").pk
    assert Accord.objects.count() == 1


def test_les_termes_se_relisent_comme_ils_furent_ecrits(proposer):
    accord = proposer(redaction="Un texte\0 libre", capacite="500.00")
    t = de_l_accord(Accord.objects.get(pk=accord.pk))
    assert t.redaction == "Un texte libre" and t.capacite == 500
    assert lire_termes({**en_json(t), "clause_decheance": True, "penalites": "courent"}) == t


@pytest.mark.parametrize(
    "termes",
    [
        {"mensualites": [("2026-12-04", "NaN")]}, {"mensualites": [("2026-13-04", "1")]}, {"mensualites": ["x"]},
        {"mensualites": [{"due_le": "2026-12-04"}]}, {"remise": "1e99"}, {"remise": "0.001"}, {"penalites": "toutes"},
        {"mensualites": 3}, {"capacite": "beaucoup"}, {"mensualites": [(None, "1")]},
    ],
)  # fmt: skip
def test_des_termes_illisibles_se_refusent_sans_rien_ecrire(proposer, termes):
    with pytest.raises(ValidationError):
        proposer(**({"mensualites": []} | termes))
    assert not Accord.objects.exists()


def test_hors_des_bornes_un_gestionnaire_propose_et_un_responsable_approuve(proposer, claire, rene):
    accord = proposer(n=7)
    assert accord.statut == S.A_APPROUVER and not accord.pdf_empreinte
    with pytest.raises(ValidationError, match="pas à signer"):
        signer(accord)
    with pytest.raises(PermissionDenied):
        accords.approuver(accord, acteur=claire, au=AU)
    assert accords.approuver(accord, acteur=rene, au=AU)
    assert not accords.approuver(accord, acteur=rene, au=AU)
    accord.refresh_from_db()
    assert (accord.statut, accord.approuve_par) == (S.PROPOSE, rene) and accord.pdf_empreinte


def test_un_responsable_ne_s_attend_pas_lui_meme(proposer, rene):
    accord = proposer(n=7, acteur=rene)
    assert (accord.statut, accord.approuve_par) == (S.PROPOSE, rene)


def test_un_responsable_refuse_avec_un_motif(proposer, claire, rene):
    accord = proposer(n=7)
    with pytest.raises(ValidationError):
        accords.refuser(accord, motif=" ", acteur=rene, au=AU)
    with pytest.raises(PermissionDenied):
        accords.refuser(accord, motif="Trop long", acteur=claire, au=AU)
    assert accords.refuser(accord, motif="Trop long", acteur=rene, au=AU)
    assert etat(accord) == S.REFUSE


def test_le_client_seul_reste_dans_les_bornes_et_sa_proposition_suivante_remplace(proposer):
    with pytest.raises(ValidationError, match="mensualités"):
        proposer(n=7, acteur=None, par_le_client=True)
    ancien = proposer(acteur=None, par_le_client=True, cle="a")
    neuf = proposer(acteur=None, par_le_client=True, cle="b", n=2)
    assert etat(ancien) == S.ANNULE and neuf.statut == S.PROPOSE and neuf.propose_par_le_client


@pytest.mark.parametrize("n", [1, 25])
def test_un_plan_qui_ne_finit_pas_se_refuse_meme_au_responsable(proposer, rene, n):
    mensualites = [(PREMIERE + timedelta(30 * k), D(900) / n if n == 1 else D(36)) for k in range(n)]
    with pytest.raises(ValidationError, match="finit pas"):
        proposer(acteur=rene, mensualites=mensualites)


def test_les_bornes_de_la_societe_l_emportent(proposer, belcourt):
    ReglageAccords.objects.create(
        societe=belcourt.societe, mensualites_max=12, duree_max_jours=400, clause_decheance=False
    )
    accord = proposer(n=12)
    assert (accord.statut, accord.clause_decheance) == (S.PROPOSE, False)


# --- Ce qui se refuse ----------------------------------------------------------------------------


def test_pieces_soldees_d_un_autre_de_deux_devises_au_contentieux_ou_cedees(proposer, belcourt, pieces):
    for dues, mot in (
        ([EcheanceFactory(client=belcourt, soldee=True)], "ouvertes"),
        ([EcheanceFactory()], "ouvertes"),
        ([], "ouvertes"),
        ([*pieces, EcheanceFactory(client=belcourt, devise="USD")], "deux devises"),
        ([EcheanceFactory(client=belcourt, en_contentieux=True)], "contentieux"),
    ):
        with pytest.raises(ValidationError, match=mot):
            proposer(dues=dues, mensualites=[(PREMIERE, D(1)), (PREMIERE + timedelta(30), D(1))])
    pieces[0].facture.affacturee = True
    pieces[0].facture.save()
    with pytest.raises(ValidationError, match="affactureur"):
        proposer()


def test_une_piece_n_est_que_sous_un_accord(proposer, pieces):
    proposer()
    with pytest.raises(ValidationError, match="déjà sous l'accord"):
        proposer("remise", dues=pieces[:1], remise=D(10), payer_avant=PREMIERE)


@pytest.mark.parametrize("genre", [g.value for g in G])
def test_procedure_collective_et_surendettement_arretent_tout(proposer, belcourt, genre, rene):
    belcourt.jugement_ouverture_le = date(2026, 11, 1)
    belcourt.save()
    with pytest.raises(ValidationError, match="L622-7"):
        proposer(genre, acteur=rene, remise=D(10), payer_avant=PREMIERE, certaine=True, intention=True)
    belcourt.jugement_ouverture_le, belcourt.surendettement = None, True
    belcourt.save()
    with pytest.raises(ValidationError, match="L722-5"):
        proposer(genre, acteur=rene, remise=D(10), payer_avant=PREMIERE, certaine=True, intention=True)


def test_litige_et_promesse_s_annoncent_sans_bloquer(belcourt, pieces):
    LitigeFactory(echeance=pieces[0], montant_conteste=D(100))
    PromesseFactory(echeances=pieces[:1], date_promise=PREMIERE)
    vu = examiner(
        belcourt, genre="echeancier", echeances=pieces, au=AU,
        termes=lire_termes({"mensualites": repartir(D(900), 3, PREMIERE)}),
    )  # fmt: skip
    assert vu.refus == [] and vu.conteste == 100
    assert "contestés" in " ".join(vu.avertissements) and "promesse" in " ".join(vu.avertissements)


# --- Signer --------------------------------------------------------------------------------------


def test_signe_sur_papier_l_echeancier_nait_avec_la_preuve(proposer, pieces, belcourt):
    accord = signer(proposer(), le=AU)
    echeancier = accord.echeancier
    assert (accord.statut, echeancier.statut, echeancier.clause_decheance) == (S.SIGNE, "en_cours", True)
    assert list(echeancier.mensualites.values_list("montant", flat=True)) == [300, 300, 300]
    assert set(echeancier.echeances.all()) == set(pieces)
    maillon = Maillon.objects.get(action="accord.signe")
    assert maillon.detail.donnees["pdf"] == accord.pdf_empreinte
    assert signer(accord).pk == accord.pk and Echeancier.objects.count() == 1


def test_signe_sur_la_page_la_preuve_garde_adresse_et_courriel(proposer):
    accord = accords.signer(
        proposer(acteur=None, par_le_client=True), signature="portail", nom="A. D.", qualite="", au=AU,
        courriel="a@b.example", adresse_ip="192.0.2.7", agent="x" * 999,
    )  # fmt: skip
    assert (accord.signe_courriel, accord.signe_adresse_ip, len(accord.signe_agent)) == (
        "a@b.example",
        "192.0.2.7",
        250,
    )


def test_la_dette_a_change_la_signature_le_dit_et_rien_ne_se_perd(proposer, belcourt, pieces):
    accord = proposer()
    payer(belcourt, [(pieces[1], D(300))], AU)
    with pytest.raises(ValidationError) as refus:
        signer(accord)
    dit = " ".join(refus.value.messages).replace("\u00a0", " ")
    assert "900,00 € à la proposition, 600,00 € aujourd'hui" in dit and "soldée" in dit
    assert etat(accord) == S.PROPOSE and not Echeancier.objects.exists()


@pytest.mark.parametrize(
    ("champs", "mot"),
    [
        ({"exemplaire": None}, "exemplaire"), ({"nom": " "}, "qui a signé"), ({"le": AU - timedelta(1)}, "entre"),
        ({"le": AU + timedelta(1)}, "entre"), ({"au": date(2026, 12, 4)}, "au plus tard"),
    ],
)  # fmt: skip
def test_une_signature_incomplete_se_refuse(proposer, champs, mot):
    with pytest.raises(ValidationError, match=mot):
        signer(proposer(), **champs)


def test_l_exemplaire_d_un_autre_client_ne_prouve_rien(proposer):
    with pytest.raises(ValidationError, match="exemplaire"):
        signer(proposer(), exemplaire=exemplaire(ClientFactory()))


def test_signe_en_retard_sur_papier_date_d_avant_l_expiration(proposer):
    accord = signer(proposer(), au=date(2026, 12, 7), le=date(2026, 12, 1))
    assert accord.statut == S.SIGNE and accord.echeancier.accepte_le == date(2026, 12, 1)


def test_jamais_signe_il_devient_caduc(proposer, belcourt):
    accord = proposer()
    nuit(belcourt.societe, date(2026, 12, 3))
    assert etat(accord) == S.PROPOSE
    nuit(belcourt.societe, date(2026, 12, 4))
    assert etat(accord) == S.CADUC and "3 décembre" in accord.motif or "03/12" in accord.motif


def test_annuler_rend_les_pieces(proposer, claire, pieces):
    accord = signer(proposer())
    assert accords.annuler(accord, motif="D'un commun accord", acteur=claire, au=AU)
    assert not accords.annuler(accord, motif="encore", acteur=claire, au=AU)
    accord.refresh_from_db()
    assert (accord.statut, accord.echeancier.statut) == (S.ANNULE, "annule")
    assert proposer().pk != accord.pk


# --- Exigence 32, de bout en bout ----------------------------------------------------------------


def test_exigence_32_mensualite_relancee_comme_telle_puis_defaut_avec_clause(proposer, belcourt, pieces):
    """Exigence 32 : protocole PDF ; la mensualité a sa relance ; le défaut rend le solde, au niveau d'avant."""
    Echeance.objects.filter(pk__in=[e.pk for e in pieces]).update(niveau=2)
    accord = signer(proposer())
    payer(belcourt, [(pieces[0], D(300))], PREMIERE)
    nuit(belcourt.societe, date(2027, 1, 6))  # la deuxième, due le lundi 4, se contrôle le 6
    assert not Message.objects.exists()
    nuit(belcourt.societe, date(2027, 1, 7))
    message = Message.objects.get()
    texte = message.texte.replace("\u00a0", " ")
    assert (message.genre, message.accord, message.destinataire) == ("mensualite", accord, belcourt.courriel)
    assert "4 janvier 2027" in texte and "300,00 €" in texte and "600,00" not in texte
    assert "mettons en demeure" in texte and "15 janvier 2027" in texte
    Message.objects.update(statut="envoye", envoye_le=timezone.make_aware(datetime(2027, 1, 7, 9)))
    nuit(belcourt.societe, date(2027, 1, 8))
    nuit(belcourt.societe, date(2027, 1, 15))
    assert (Message.objects.count(), etat(accord)) == (1, S.SIGNE)
    nuit(belcourt.societe, date(2027, 1, 18))
    accord.refresh_from_db()
    assert (accord.statut, accord.echeancier.statut) == (S.ROMPU, "rompu")
    assert "mensualité du 04/01/2027" in accord.motif
    assert list(Echeance.objects.filter(pk__in=[e.pk for e in pieces]).values_list("niveau", flat=True)) == [2, 2]
    assert Tache.objects.filter(genre=Tache.Genre.PROMESSE_ROMPUE).exists()


def test_payee_dans_le_delai_de_la_mise_en_demeure_elle_ne_rompt_rien(proposer, belcourt, pieces):
    accord = signer(proposer())
    nuit(belcourt.societe, date(2026, 12, 9))
    assert Message.objects.count() == 1
    payer(belcourt, [(pieces[0], D(300))], date(2026, 12, 14))
    nuit(belcourt.societe, date(2026, 12, 30))
    assert etat(accord) == S.SIGNE


def test_sans_clause_seul_l_echu_se_reclame(proposer, belcourt, rene):
    """C. civ., art. 1305-4."""
    accord = signer(proposer(acteur=rene, clause_decheance=False))
    nuit(belcourt.societe, date(2026, 12, 9))
    assert etat(accord) == S.ROMPU and accord.echeancier.lie_apres_rupture
    texte = Message.objects.get().texte
    assert "ne réclame que cette mensualité" in texte and "demeure" not in texte
    nuit(belcourt.societe, date(2027, 1, 8))
    assert Message.objects.count() == 2
    nuit(belcourt.societe, date(2027, 1, 9))
    assert Message.objects.count() == 2


def test_tenu_il_s_execute_et_les_penalites_promises_s_abandonnent(proposer, belcourt, pieces, rene):
    accord = signer(proposer(acteur=rene, penalites="abandonnees"))
    payer(belcourt, [(pieces[0], D(600)), (pieces[1], D(300))], PREMIERE)
    nuit(belcourt.societe, PREMIERE)
    assert etat(accord) == S.EXECUTE
    assert Renonciation.objects.filter(portee="penalites", auteur=rene).count() == 2
    nuit(belcourt.societe, PREMIERE)
    assert Renonciation.objects.count() == 2


def test_un_paiement_repris_rouvre_l_accord_et_rend_les_penalites(proposer, belcourt, pieces, rene):
    accord = signer(proposer(acteur=rene, penalites="abandonnees"))
    recu = EncaissementFactory(client=belcourt, montant=900, date=PREMIERE)
    imputer(recu, [(pieces[0], D(600)), (pieces[1], D(300))], au=PREMIERE, cle="p", acteur=rene)
    nuit(belcourt.societe, PREMIERE)
    desimputer(recu, au=PREMIERE, cle="p", acteur=rene)
    EncaissementFactory(client=belcourt, montant=900, date=PREMIERE)
    nuit(belcourt.societe, PREMIERE)
    assert etat(accord) == S.SIGNE and not Renonciation.objects.en_vigueur().exists()


def test_sans_adresse_une_personne_met_en_demeure_et_le_note(proposer, belcourt, claire):
    belcourt.courriel = ""
    belcourt.save()
    accord = signer(proposer())
    nuit(belcourt.societe, date(2026, 12, 9))
    nuit(belcourt.societe, date(2026, 12, 30))
    assert not Message.objects.exists() and etat(accord) == S.SIGNE
    tache = Tache.objects.get(genre=Tache.Genre.ACCORD)
    assert "Mettre en demeure" in tache.titre
    with pytest.raises(ValidationError):
        noter_sommation(accord, rang=1, le=PREMIERE, au=date(2026, 12, 30), acteur=claire)
    avant = noter_sommation(accord, rang=1, le=date(2026, 12, 30), au=date(2026, 12, 30), acteur=claire)
    assert avant == date(2027, 1, 7)
    tache.refresh_from_db()
    assert tache.faite_le
    nuit(belcourt.societe, date(2027, 1, 8))
    assert etat(accord) == S.ROMPU


def test_suspendu_le_client_ne_recoit_rien(proposer, belcourt):
    signer(proposer())
    SuspensionFactory(client=belcourt, du=date(2026, 12, 1))
    nuit(belcourt.societe, date(2026, 12, 9))
    assert not Message.objects.exists() and Tache.objects.filter(genre="accord").count() == 1


def test_un_passage_rejoue_n_ecrit_pas_au_debiteur(proposer, belcourt):
    signer(proposer())
    nuit(belcourt.societe, date(2026, 12, 9), envoyer=False)
    assert not Message.objects.exists()


# --- Remise, escompte ----------------------------------------------------------------------------


@pytest.mark.parametrize("genre", ["remise", "escompte"])
def test_paye_a_temps_l_avoir_solde_le_reste(proposer, belcourt, pieces, rene, genre):
    accord = signer(proposer(genre, acteur=rene, remise=D(100), payer_avant=PREMIERE))
    assert Promesse.objects.get().montant == 800
    payer(belcourt, [(pieces[0], D(600)), (pieces[1], D(200))], PREMIERE)
    nuit(belcourt.societe, PREMIERE)
    assert etat(accord) == S.EXECUTE
    avoir = accord.avoirs.get()
    assert (avoir.nature, avoir.montant, avoir.impute) == (NatureAvoir(genre), 100, 100)
    assert restes(pieces) == [(600, 600), (300, 300)]
    nuit(belcourt.societe, PREMIERE + timedelta(30))
    assert etat(accord) == S.EXECUTE and accord.avoirs.count() == 1


def test_pas_paye_a_temps_la_remise_est_caduque_et_tout_est_du(proposer, belcourt, pieces, rene):
    accord = signer(proposer("remise", acteur=rene, remise=D(100), payer_avant=PREMIERE))
    payer(belcourt, [(pieces[0], D(600))], PREMIERE)
    nuit(belcourt.societe, date(2026, 12, 8))  # vendredi et deux jours ouvrés
    assert etat(accord) == S.SIGNE
    nuit(belcourt.societe, date(2026, 12, 9))
    assert etat(accord) == S.CADUC and "tout est dû" in accord.motif
    payer(belcourt, [(pieces[1], D(200))], date(2026, 12, 10))
    nuit(belcourt.societe, date(2026, 12, 11))
    assert restes(pieces)[1] == (300, 200) and not accord.avoirs.exists()


def test_recu_et_pas_encore_affecte_il_attend(proposer, belcourt, rene):
    accord = signer(proposer("remise", acteur=rene, remise=D(100), payer_avant=PREMIERE))
    EncaissementFactory(client=belcourt, montant=800, date=PREMIERE)
    nuit(belcourt.societe, date(2026, 12, 20))
    assert etat(accord) == S.SIGNE


def test_la_remise_au_dela_du_reglage_attend_un_responsable(proposer, belcourt):
    assert proposer("remise", remise=D(100), payer_avant=PREMIERE).statut == S.A_APPROUVER


def test_la_remise_d_un_professionnel_solde_aussi_ses_accessoires_si_c_est_convenu(proposer, belcourt, pieces, rene):
    accord = signer(proposer("remise", acteur=rene, remise=D(100), payer_avant=PREMIERE, penalites="abandonnees"))
    payer(belcourt, [(pieces[0], D(600)), (pieces[1], D(200))], PREMIERE)
    nuit(belcourt.societe, PREMIERE)
    assert etat(accord) == S.EXECUTE
    assert set(Renonciation.objects.values_list("portee", flat=True)) == {"tout"}


# --- Compensation, novation ----------------------------------------------------------------------

CREANCE = {"creance_reference": "FR-88", "creance_exigible_le": "2026-11-01", "certaine": True}


@pytest.mark.parametrize(("opposee", "eteint"), [("400", 400), ("1200", 900)])
def test_la_compensation_eteint_a_due_concurrence_des_la_signature(proposer, pieces, opposee, eteint):
    accord = signer(proposer("compensation", creance_montant=opposee, **CREANCE))
    assert (accord.statut, accord.avoirs.get().nature, accord.avoirs.get().montant) == (S.EXECUTE, "compensa", eteint)
    assert sum(i for _m, i in restes(pieces)) == eteint


@pytest.mark.parametrize(
    ("retouche", "mot"),
    [
        ({"certaine": False}, "certaine"), ({"creance_reference": ""}, "référence"),
        ({"creance_montant": "0"}, "montant"),
        ({"creance_exigible_le": "2026-12-01"}, "exigible"), ({"creance_exigible_le": ""}, "exigible"),
    ],
)  # fmt: skip
def test_une_creance_opposee_incertaine_se_refuse(proposer, retouche, mot):
    with pytest.raises(ValidationError, match=mot):
        proposer("compensation", **({"creance_montant": "400"} | CREANCE | retouche))


def test_en_procedure_seules_des_creances_connexes_se_compensent(proposer, belcourt, rene):
    belcourt.jugement_ouverture_le = date(2026, 11, 1)
    belcourt.save()
    accord = proposer("compensation", creance_montant="400", connexite="même contrat-cadre", **CREANCE)
    assert accord.statut == S.PROPOSE


def test_une_personne_publique_ne_compense_que_par_son_comptable(proposer, rene):
    client = ClientFactory(societe=None, administration=True)
    dues = [EcheanceFactory(client=client, montant=900)]
    with pytest.raises(ValidationError, match="comptable"):
        proposer("compensation", client=client, dues=dues, acteur=None, creance_montant="400", **CREANCE)


def test_la_novation_voulue_eteint_l_ancienne_dette_et_ouvre_la_nouvelle(proposer, pieces, rene):
    with pytest.raises(ValidationError, match="ne se présume pas"):
        proposer("novation", acteur=rene)
    accord = signer(proposer("novation", acteur=rene, intention=True, obligation="Prêt de restructuration"))
    assert (accord.statut, accord.avoirs.get().nature) == (S.EXECUTE, "novation")
    assert all(m == i for m, i in restes(pieces))
    neuves = accord.facture_nouvelle.echeances.order_by("date_echeance")
    assert [(e.montant, e.date_echeance) for e in neuves] == [
        (300, PREMIERE), (300, date(2027, 1, 4)), (300, date(2027, 2, 4)),
    ]  # fmt: skip
    assert accord.facture_nouvelle.numero == accord.reference


def test_un_gestionnaire_ne_nove_pas_seul(proposer):
    assert proposer("novation", intention=True).statut == S.A_APPROUVER


# --- Prescription, requêtes ----------------------------------------------------------------------


def test_la_reconnaissance_signee_interrompt_la_prescription(proposer, pieces, rene):
    """C. civ., art. 2240 : la preuve est l'accord signé."""
    facture = pieces[0].facture
    avant = de_la_facture(facture, au=AU).prescription
    accord = signer(proposer("remise", acteur=rene, remise=D(100), payer_avant=PREMIERE))
    apres = de_la_facture(facture, au=AU).prescription
    assert accord.reference in str(apres) and accord.reference not in str(avant)
    assert apres.possible > avant.possible


def test_le_nombre_de_requetes_ne_depend_pas_des_pieces(belcourt):
    def compter(n):
        dues = [EcheanceFactory(client=belcourt, montant=100) for _ in range(n)]
        dues = list(Echeance.objects.filter(pk__in=[e.pk for e in dues]).select_related("facture"))
        termes = lire_termes({"mensualites": repartir(D(100) * n, 2, PREMIERE)})
        with CaptureQueriesContext(connection) as vues:
            examiner(belcourt, genre="echeancier", echeances=dues, termes=termes, au=AU)
        return len(vues)

    assert compter(1) == compter(20) <= 8
