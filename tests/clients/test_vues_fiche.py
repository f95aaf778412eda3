"""Fiche client : ce qu'elle dit, à qui, et ce qu'elle coûte."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clients import services
from clients.views.registre import VOLETS
from clients.views.volets import Fiche
from factures.models import Facture
from factures.services import clore_litige
from factures.services.exclusions import exclure
from recouvrement.comptes.models import Role
from relances.domaine.verdicts import Motif
from relances.models import Passage, Verdict, VersionEchelle
from relances.services import nuit, taches
from relances.services.ce_soir import prochain_passage
from tests.clients.factories import ClientFactory, NoteFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.factories import (
    EcheanceFactory,
    EcheancierFactory,
    EncaissementFactory,
    ExclusionFactory,
    PromesseFactory,
)

pytestmark = pytest.mark.django_db
ONGLETS = ["compte", "chronologie", "contacts", "documents", "conditions", "pourquoi"]


def url(client) -> str:
    return reverse("clients:fiche", args=[client.pk])


def texte(reponse) -> str:
    return reponse.content.decode().replace("\u00a0", " ")


@pytest.mark.parametrize("onglet", ONGLETS)
def test_chaque_onglet_s_affiche_entier_et_en_fragment(connecte, belcourt, onglet):
    page = connecte.get(url(belcourt), {"o": onglet})
    fragment = connecte.get(url(belcourt), {"o": onglet}, headers={"HX-Request": "true", "HX-Target": "liste"})

    assert (page.status_code, fragment.status_code) == (200, 200)
    assert "<h1>Chaudronnerie Belcourt SAS</h1>" in texte(page)
    assert "<h1>" not in texte(fragment)
    assert 'class="liste"' in texte(fragment)


@pytest.mark.parametrize("onglet", ONGLETS)
def test_un_client_neuf_a_une_fiche_vide_et_sans_faute(connecte, societe, gestionnaire, onglet):
    neuf = ClientFactory(societe=societe, gestionnaire=gestionnaire)

    assert connecte.get(url(neuf), {"o": onglet}).status_code == 200


def test_la_tete_dit_l_echu_l_encours_sur_plafond_et_la_part_contestee(connecte, belcourt):
    page = texte(connecte.get(url(belcourt)))

    for attendu in ("19 262,80 €", "25 546,80 €", "dont 1 200,00 € contestés", "64 % de 40 000,00 €", "Claire Bonnet"):
        assert attendu in page


def test_le_compte_se_recoupe_avec_son_solde(connecte, belcourt):
    contexte = connecte.get(url(belcourt)).context

    pieces = sum(e.reste_du for e in contexte["liste"])
    credits_ = sum(c.reste for c in contexte["credits_montres"])
    assert pieces - credits_ == contexte["soldes"][0].ligne.encours == Decimal("25546.80")


def test_une_devise_par_solde(connecte, belcourt, au):
    EcheanceFactory(client=belcourt, echue_le=au - timedelta(5), montant=500, devise="GBP")

    contexte = connecte.get(url(belcourt)).context

    assert {s.devise: s.ligne.encours for s in contexte["soldes"]} == {"EUR": Decimal("25546.80"), "GBP": Decimal(500)}


def test_le_retard_moyen_pese_les_montants_et_compte_l_impaye(connecte, societe, gestionnaire, au):
    """Exigences § 2.5 : 1 000 € payés à +10 j et 3 000 € impayés depuis 30 j → 25 j."""
    paye = ClientFactory(societe=societe, gestionnaire=gestionnaire)
    EcheanceFactory(client=paye, echue_le=au - timedelta(60), montant=1000, soldee=au - timedelta(50))
    EcheanceFactory(client=paye, echue_le=au - timedelta(30), montant=3000)
    EcheanceFactory(client=paye, echue_le=au - timedelta(400), montant=1000, soldee=au - timedelta(395))

    habitudes = connecte.get(url(paye)).context["habitudes"]

    assert (habitudes.retard, habitudes.retard_avant) == (25, 5)


def test_les_promesses_en_attente_ne_comptent_pas_au_taux(connecte, belcourt, au):
    piece = EcheanceFactory(client=belcourt, echue_le=au - timedelta(90))
    for statut in ("tenue", "rompue", "annulee"):
        PromesseFactory(echeances=[piece], date_promise=au - timedelta(40), statut=statut)

    habitudes = connecte.get(url(belcourt)).context["habitudes"]

    assert (habitudes.tenues, habitudes.conclues, len(habitudes.en_attente)) == (1, 2, 1)


# --- Prochaine étape : le code même de la nuit ---------------------------------------------------


def test_la_prochaine_etape_dit_quoi_quand_et_pourquoi_par_piece(connecte, belcourt):
    etapes = connecte.get(url(belcourt)).context["etapes"]

    phrases = {r.pieces[0]: r.phrase for r in etapes.raisons}
    numeros = [e.facture.numero for e in belcourt.echeances.order_by("date_echeance")]
    assert etapes.titre == "Rappel courtois, courriel"
    assert phrases[numeros[0]].startswith("rappel courtois au prochain passage")
    assert "promesse suivie jusqu'au" in phrases[numeros[1]]
    assert "1\u00a0200,00\u00a0€ retenus par le litige" in phrases[numeros[2]]
    assert phrases[numeros[3]].endswith("5 jours après l'échéance")


def test_la_fiche_et_la_nuit_disent_la_meme_chose(connecte, belcourt, societe, au):
    par_piece = connecte.get(url(belcourt)).context["etapes"].par_piece
    passage = nuit.ouvrir_passage(societe, au=au, genre=Passage.Genre.REJOUE)
    nuit.relancer(societe, au=au, passage=passage)

    verdicts = dict(Verdict.objects.values_list("echeance", "code"))
    assert len(verdicts) == 3
    assert verdicts == {pk: par_piece[pk].motif.value for pk in verdicts}


def test_une_suspension_repousse_l_etape_et_se_voit_en_bandeau(connecte, belcourt, gestionnaire, au):
    services.suspendre(belcourt, motif="Accord en cours", du=au, au=au + timedelta(60), acteur=gestionnaire)

    page = connecte.get(url(belcourt))

    etapes = page.context["etapes"]
    assert etapes.le > au + timedelta(60)
    assert "au plus tôt" in etapes.qui
    assert "Accord en cours" in texte(page)


def test_une_suspension_n_annonce_pas_l_etape_qu_un_frein_sans_date_arretera(connecte, belcourt, gestionnaire, au):
    """La fiche annonçait « appel le lendemain de la suspension » sur une facture que la plateforme dit contestée."""
    Facture.objects.filter(client=belcourt).update(statut_fe="208", statut_fe_le=au)
    services.suspendre(belcourt, motif="Congés", du=au, au=au + timedelta(7), acteur=gestionnaire)

    etapes = connecte.get(url(belcourt)).context["etapes"]

    premiere = etapes.par_piece[belcourt.echeances.order_by("date_echeance").first().pk]
    assert (premiere.motif, premiere.prochaine) == (Motif.SUSPENDUE, None)


def test_une_piece_exclue_prevoit_son_etape_le_lendemain(connecte, belcourt, gestionnaire, au):
    for piece in belcourt.echeances.all():
        exclure(piece, motif="Renvoyée", du=au, au=au + timedelta(7), acteur=gestionnaire)

    etapes = connecte.get(url(belcourt)).context["etapes"]

    assert etapes.le > au + timedelta(7) and "au plus tôt" in etapes.qui


def test_exigence_36_un_jugement_arrete_tout(connecte, belcourt, gestionnaire, au):
    services.signaler_jugement(belcourt, le=au, au=au, acteur=gestionnaire)

    page = connecte.get(url(belcourt))

    assert page.context["etapes"].le is None
    assert "Toutes les relances sont arrêtées" in texte(page)


# --- Chronologie -----------------------------------------------------------------------------------


def test_la_chronologie_fond_journal_argent_notes_promesses_et_litiges(connecte, belcourt, gestionnaire, au):
    services.noter(belcourt, texte="Nouvelle comptable.", acteur=gestionnaire)
    taches.consigner_appel(belcourt, issue="message", au=au, acteur=gestionnaire, commentaire="paie le 10")
    litige = belcourt.echeances.get(litiges__isnull=False).litiges.get()
    clore_litige(litige, issue="avoir émis", au=au, acteur=gestionnaire)

    page = connecte.get(url(belcourt), {"o": "chronologie"})

    titres = [f.titre for f in page.context["faits"]]
    assert sorted(titres) == sorted(
        ["Note interne", "Appel", "Litige clos", "Litige ouvert", "Promesse", "Virement reçu", _avoir(belcourt)]
    )
    cles = [f.cle for f in page.context["faits"]]
    assert cles == sorted(cles, reverse=True)
    onglet = next(o for o in page.context["vues"] if o.courant)
    assert onglet.compte == len(titres)
    assert "paie le 10" in texte(page)


def _avoir(client) -> str:
    return f"Avoir {client.avoirs.get().numero}"


@pytest.mark.parametrize(
    ("genre", "attendu"), [("notes", 1), ("argent", 2), ("appels", 0), ("suivi", 2), ("envois", 0)]
)
def test_la_chronologie_se_filtre_par_genre(connecte, belcourt, gestionnaire, genre, attendu):
    NoteFactory(client=belcourt, auteur=gestionnaire)

    page = connecte.get(url(belcourt), {"o": "chronologie", "genre": genre})

    assert len(page.context["faits"]) == attendu


def test_un_fait_sans_heure_se_lit_apres_ceux_du_meme_jour():
    from clients.views.chronologie import Fait

    jour = date(2026, 11, 20)
    a_midi = Fait(timezone.make_aware(datetime(2026, 11, 20, 12)), "midi")
    veille = Fait(timezone.make_aware(datetime(2026, 11, 19, 23)), "veille")

    ordre = sorted([veille, Fait(jour, "jour"), a_midi], key=lambda f: f.cle, reverse=True)

    assert [f.titre for f in ordre] == ["midi", "jour", "veille"]


# --- Pourquoi, pourquoi pas ------------------------------------------------------------------------


def test_pourquoi_se_lit_a_une_date_passee(connecte, belcourt, au):
    piece = belcourt.echeances.order_by("date_echeance").first()
    Verdict.objects.create(
        echeance=piece, du=au - timedelta(40), au=au - timedelta(21), code="attente", nature=2,
        prochaine=au - timedelta(20),
    )  # fmt: skip
    Verdict.objects.create(echeance=piece, du=au - timedelta(20), code="suspendue", detail="Accord, jusqu'au 30/11")

    def lire(jour):
        lignes = connecte.get(url(belcourt), {"o": "pourquoi", "le": jour.isoformat()}).context["expliquees"]
        return next(x for x in lignes if x.echeance.pk == piece.pk)

    avant, depuis = lire(au - timedelta(30)), lire(au)
    assert (avant.actuel.libelle, avant.passes, avant.a_ce_jour) == ("Étape à venir", [], "")
    assert depuis.actuel.code == "suspendue"
    assert [v.code for v in depuis.passes] == ["attente"]
    assert depuis.a_ce_jour


@pytest.mark.parametrize("le", ["", "hier", "2999-01-01"])
def test_pourquoi_ne_lit_jamais_l_avenir(connecte, belcourt, au, le):
    assert connecte.get(url(belcourt), {"o": "pourquoi", "le": le}).context["le"] == au


# --- Droits, méthode, requêtes ---------------------------------------------------------------------


def test_exigence_39_un_autre_portefeuille_est_introuvable(client, belcourt, voisin):
    etranger = UtilisateurFactory(societe=SocieteFactory(), role=Role.ADMINISTRATEUR)
    for personne in (voisin, etranger):
        client.force_login(personne)
        assert client.get(url(belcourt)).status_code == 404


def test_exigence_39_un_lecteur_lit_tout_et_n_agit_sur_rien(client, belcourt, societe):
    client.force_login(UtilisateurFactory(societe=societe, role=Role.LECTEUR))

    page = client.get(url(belcourt), {"volet": "appel"})

    assert page.status_code == 200
    assert page.context["volet"] is None
    assert "/gestes/" not in texte(page)


def test_mauvaise_methode(connecte, belcourt):
    assert connecte.post(url(belcourt)).status_code == 405


@pytest.mark.parametrize("onglet", ONGLETS)
@pytest.mark.parametrize("volet", ["", "appel"])
def test_le_nombre_de_requetes_ne_depend_pas_des_pieces(connecte, belcourt, gestionnaire, au, onglet, volet):
    def remplir(n):
        for _ in range(n):
            piece = EcheanceFactory(client=belcourt, echue_le=au - timedelta(15), en_litige=Decimal(10))
            PromesseFactory(echeances=[piece], date_promise=au + timedelta(3))
            EncaissementFactory(client=belcourt, montant=5)
            NoteFactory(client=belcourt, auteur=gestionnaire)
            Verdict.objects.create(echeance=piece, du=au - timedelta(3), code="attente")

    def compter():
        with CaptureQueriesContext(connection) as requetes:
            assert connecte.get(url(belcourt), {"o": onglet, "volet": volet}).status_code == 200
        return len(requetes)

    remplir(1)
    une = compter()
    remplir(19)

    assert compter() == une
    assert une < 95  # la chronologie lit dix-sept sources


def test_tous_les_volets_ont_leur_gabarit(connecte, belcourt):
    for nom in VOLETS:
        page = connecte.get(url(belcourt), {"volet": nom}, headers={"HX-Request": "true", "HX-Target": "volet"})
        assert page.status_code == 200
        assert "<h1>" not in texte(page)


def test_un_jour_sans_passage_la_fiche_juge_au_prochain_comme_ce_soir(belcourt, gestionnaire):
    """Le dimanche, la fiche et « Ce soir » disent la même chose : ce que fera le passage du lundi."""
    dimanche = date(2026, 11, 22)
    f = Fiche(belcourt, au=dimanche, user=gestionnaire)

    assert f.prevision.au == date(2026, 11, 23) == prochain_passage(belcourt.societe, datetime(2026, 11, 22, 9))
    assert all(d.motif is not Motif.JOUR_NON_OUVRE for d in f.etapes.par_piece.values())


def test_au_dessus_du_plafond_du_plan_l_etape_ne_se_dit_pas_automatique(societe, gestionnaire, au):
    """`qui_agit` lit l'envoi décidé, plafond compris : 48 000 € ne partent pas sans une personne."""
    client = ClientFactory(societe=societe, gestionnaire=gestionnaire)
    EcheanceFactory(client=client, echue_le=au - timedelta(9), montant=Decimal("48000.00"))
    assert "envoi automatique" in str(Fiche(client, au=au, user=gestionnaire).etapes.qui)
    VersionEchelle.objects.filter(echelle__societe=societe).update(plafond_envoi=Decimal("10000"))
    etapes = Fiche(client, au=au, user=gestionnaire).etapes

    assert "à valider" in etapes.qui
    assert "envoi automatique" not in " ".join(r.phrase for r in etapes.raisons)


def test_procedure_ouverte_on_declare_on_ne_relance_ni_n_appelle(connecte, belcourt, au):
    """L'action principale est la déclaration de créance, avec sa date (C. com., art. R622-24)."""
    belcourt.jugement_ouverture_le = au - timedelta(days=3)
    belcourt.save()
    page = texte(connecte.get(url(belcourt)))

    tete = page[page.index('<div class="actions">') : page.index("Autres actions")]
    assert "Appeler" not in tete and "Relancer" not in tete
    assert "Déclarer la créance avant le" in page
    assert "Rien de prévu tant que rien ne change" not in page


def test_conditions_d_une_administration_et_d_un_particulier(connecte, belcourt):
    for type_debiteur, attendu in (("administration", "BCE + 8 points"), ("particulier", "depuis la mise en demeure")):
        belcourt.type, belcourt.taux_penalites = type_debiteur, None
        belcourt.save()
        assert attendu in texte(connecte.get(url(belcourt), {"o": "conditions"}))


# --- Le compte et le comportement -------------------------------------------------------------------


def test_la_repartition_du_compte_se_recoupe_au_centime_avec_le_solde_par_devise(connecte, belcourt, au):
    EcheanceFactory(client=belcourt, echue_le=au - timedelta(5), montant=500, devise="GBP")
    exclue = EcheanceFactory(client=belcourt, echue_le=au - timedelta(6), montant=Decimal("10.01"))
    ExclusionFactory(echeance=exclue, du=au)
    EcheancierFactory(
        echeances=[EcheanceFactory(client=belcourt, echue_le=au - timedelta(7), montant=300)], accepte_le=au
    )
    contentieux = EcheanceFactory(client=belcourt, echue_le=au - timedelta(8), montant=700)
    type(contentieux).objects.filter(pk=contentieux.pk).update(en_contentieux=True)
    contexte = connecte.get(url(belcourt)).context
    r = {x.devise: x for x in contexte["repartitions"]}

    assert {d: x.encours for d, x in r.items()} == {s.devise: s.ligne.encours for s in contexte["soldes"]}
    assert {d: x.ouvert for d, x in r.items()} == {s.devise: s.ligne.brut for s in contexte["soldes"]}
    assert (r["EUR"].conteste, r["EUR"].exclu, r["EUR"].echelonne, r["EUR"].contentieux) == (
        Decimal(1200), Decimal("10.01"), Decimal(300), Decimal(700),
    )  # fmt: skip
    assert (r["EUR"].a_affecter, r["GBP"].libre) == (Decimal(1300), Decimal(500))


def test_le_depassement_du_plafond_se_dit(connecte, belcourt):
    type(belcourt).objects.filter(pk=belcourt.pk).update(plafond=Decimal(25000))

    assert "dépasse de 546,80 € le plafond de 25 000,00 €" in texte(connecte.get(url(belcourt)))


def test_le_plafond_ne_se_compare_qu_aux_euros(connecte, belcourt, au):
    EcheanceFactory(client=belcourt, echue_le=au - timedelta(5), montant=90000, devise="GBP")
    page = connecte.get(url(belcourt))

    assert page.context["principal"].devise == "GBP"
    assert page.context["plafond"]["encours"] == Decimal("25546.80")
    assert not page.context["plafond"]["depasse"]


def test_la_tendance_la_reaction_et_leurs_calculs_sont_a_l_ecran(connecte, societe, gestionnaire, au):
    suivi = ClientFactory(societe=societe, gestionnaire=gestionnaire)
    for n in range(3):
        EcheanceFactory(client=suivi, echue_le=au - timedelta(60 + n), soldee=au - timedelta(30 + n))
        EcheanceFactory(client=suivi, echue_le=au - timedelta(260 + n), soldee=au - timedelta(250 + n))
    page = connecte.get(url(suivi))

    assert "tendance : 20 jours plus tard qu'avant" in page.context["habitudes"].phrase_tendance
    assert page.context["habitudes"].tendance.paiements == (3, 3)
    assert texte(page).count("Comment c’est calculé") >= 4
    assert "trop peu pour la dire" in texte(page)


def test_un_client_sans_passe_dit_trop_peu_jamais_zero(connecte, societe, gestionnaire):
    page = connecte.get(url(ClientFactory(societe=societe, gestionnaire=gestionnaire)))

    assert "trop peu de paiements" in texte(page)
    assert page.context["habitudes"].retard is None


def test_le_retard_ne_melange_pas_deux_devises(connecte, societe, gestionnaire, au):
    mixte = ClientFactory(societe=societe, gestionnaire=gestionnaire)
    EcheanceFactory(client=mixte, echue_le=au - timedelta(10), montant=5000)
    EcheanceFactory(client=mixte, echue_le=au - timedelta(90), montant=100, devise="GBP")
    habitudes = connecte.get(url(mixte)).context["habitudes"]

    assert (habitudes.retard, habitudes.autres) == (10, [("GBP", 90)])
