"""Copies de factures jointes, destinataire par rôle, et la dernière barrière avant l'envoi."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from clients.models import Contact
from factures.models import CopieFacture, Echeance
from factures.services.copies import deposer
from recouvrement.commun import depot, pdf
from relances.domaine.natures import Canal
from relances.models import Courrier, Palier, Passage, Relance
from relances.rendu import controles
from relances.services import envoi, jointes, nuit, verification
from relances.services.preparation import composer, preparer
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory
from tests.factures.factories import EcheanceFactory, LitigeFactory, PromesseFactory

pytestmark = pytest.mark.django_db
MARDI = date(2026, 2, 10)
S = Courrier.Statut
UNE_PAGE = '<!doctype html><html lang="fr"><title>{0}</title><body><p>{0}</p></body></html>'


@pytest.fixture(autouse=True)
def range_ici(settings, tmp_path):
    settings.DEPOT = tmp_path / "depot"


def copie_de(texte: str) -> bytes:
    return pdf.rendre(UNE_PAGE.format(texte), pdf.POLICES.parents[2] / "templates/relances/lettres/lettre.css")


def tenir(facture, *, taille: int | None = None, pages: int | None = None) -> CopieFacture:
    copie, _neuve = deposer(
        facture, octets=copie_de(f"Facture {facture.numero}"), nom="facture.pdf", acteur=UtilisateurFactory()
    )
    CopieFacture.objects.filter(pk=copie.pk).update(taille=taille or copie.taille, pages=pages or copie.pages)
    return copie


def un_courrier(nombre: int = 1, **champs) -> Courrier:
    client = champs.pop("client", None) or ClientFactory()
    for rang in range(nombre):
        EcheanceFactory(client=client, echue_le=MARDI - timedelta(days=30 + rang), **champs)
    passage = nuit.ouvrir_passage(client.societe, au=MARDI, genre=Passage.Genre.REJOUE)
    nuit.relancer(client.societe, au=MARDI, passage=passage)
    return Courrier.objects.get(client=client)


def factures_de(courrier) -> list:
    return [r.echeance.facture for r in courrier.relances.order_by("echeance__date_echeance")]


def test_la_copie_tenue_part_avec_le_courriel_et_se_fige_par_empreinte(mailoutbox):
    """Exigence 27 : on sait octet pour octet ce qui est parti."""
    courrier = un_courrier()
    copie = tenir(factures_de(courrier)[0])
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.ENVOYE
    courrier.refresh_from_db()
    (jointe,) = courrier.jointes
    numero = copie.facture.numero
    assert jointe["empreinte"] == copie.empreinte and jointe["nom"] == f"copie-{numero}.pdf"
    (message,) = mailoutbox
    noms = {piece[0]: piece[1] for piece in message.attachments}
    assert noms[f"copie-{numero}.pdf"] == depot.lire(copie.chemin, copie.empreinte)
    assert f"Pièce jointe\u00a0: copie de la facture {numero}." in courrier.texte


def test_la_societe_peut_ne_rien_joindre(mailoutbox):
    courrier = un_courrier()
    tenir(factures_de(courrier)[0])
    type(courrier.societe).objects.filter(pk=courrier.societe_id).update(joindre_factures=False)
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.ENVOYE
    assert Courrier.objects.get().jointes == [] and mailoutbox[0].attachments == []


def test_au_dela_de_huit_mio_les_plus_anciennes_partent_et_le_reste_se_dit():
    courrier = un_courrier(nombre=3)
    factures = factures_de(courrier)
    for facture in factures:
        tenir(facture, taille=3 * 1024 * 1024)
    lettre = composer(courrier, au=MARDI)
    assert [c.numero for c in lettre.copies] == [f.numero for f in factures[:2]]
    assert lettre.copies_laissees == (factures[2].numero,)
    avis = {m.code: m.phrase for m in controles.avertissements(lettre)}
    assert factures[2].numero in avis["copies_laissees"]


def test_sous_pli_les_copies_suivent_la_lettre_dans_la_limite_de_vingt_pages():
    client = ClientFactory(courriel="")
    courrier = un_courrier(nombre=2, client=client)
    assert courrier.canal == Canal.LETTRE
    factures = factures_de(courrier)
    tenir(factures[0])
    tenir(factures[1], pages=20)
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.A_POSTER
    courrier.refresh_from_db()
    assert [j["numero"] for j in courrier.jointes] == [factures[0].numero]
    imprime = jointes.pli_complet(courrier)
    assert pdf.compter_pages(imprime) == courrier.pdf_pages + 1 == jointes.pages_du_pli(courrier)
    assert pdf.compter_pages(depot.lire(courrier.pdf_chemin, courrier.pdf_empreinte)) == courrier.pdf_pages


def test_une_facture_a_deux_copies_joint_la_derniere():
    courrier = un_courrier()
    (facture,) = factures_de(courrier)
    tenir(facture)
    octets = copie_de("version corrigée")
    derniere, _neuve = deposer(facture, octets=octets, nom="v2.pdf", acteur=UtilisateurFactory())
    assert [c.empreinte for c in composer(courrier, au=MARDI).copies] == [derniere.empreinte]


# --- À qui, par rôle ------------------------------------------------------------------------------------------


def demander(courrier, role):
    Palier.objects.filter(pk=courrier.palier_id).update(role_destinataire=role)
    return Courrier.objects.select_related("palier", "client", "societe").get(pk=courrier.pk)


def test_le_palier_choisit_le_destinataire_par_son_role(mailoutbox):
    courrier = un_courrier()
    Contact.objects.create(client=courrier.client, nom="Anne Loi", role="juridique", courriel="loi@client.example")
    Contact.objects.create(
        client=courrier.client, nom="Zoé Compta", role="comptabilite", courriel="c@client.example", recoit_relances=True
    )
    demander(courrier, "juridique")
    assert envoi.envoyer(courrier.pk, au=MARDI) == S.ENVOYE
    assert mailoutbox[0].to == ["loi@client.example"]
    assert mailoutbox[0].body.startswith("Bonjour Anne Loi")


def test_sans_contact_de_ce_role_le_repli_est_dit():
    courrier = demander(un_courrier(), "juridique")
    lu = jointes.destination(courrier.client, "juridique")
    assert lu.adresse == courrier.client.courriel
    (avis,) = (m for m in controles.avertissements(composer(courrier, au=MARDI)) if m.code == "destinataire_repli")
    assert "Juridique" in avis.phrase and courrier.client.courriel in avis.phrase


def test_un_contact_dont_l_adresse_a_rebondi_ne_sert_plus():
    """Exigence 21."""
    client = ClientFactory()
    Contact.objects.create(
        client=client, nom="A", role="juridique", courriel="mort@client.example", invalide_le=date(2026, 1, 1)
    )
    assert jointes.destination(client, "juridique").adresse == client.courriel


def test_une_lettre_nomme_le_contact_du_role_dans_l_adresse():
    courrier = demander(un_courrier(client=ClientFactory(courriel="")), "direction")
    Contact.objects.create(client=courrier.client, nom="Paul Chef", role="direction")
    assert composer(courrier, au=MARDI).destinataire.service == "Paul Chef"


# --- La dernière barrière ----------------------------------------------------------------------------------------


def codes(courrier) -> list[str]:
    courrier = Courrier.objects.select_related("client", "societe", "palier").get(pk=courrier.pk)
    return [m.code for m in preparer(courrier, au=MARDI).manques]


def test_une_lettre_saine_passe():
    assert codes(un_courrier(nombre=2)) == []


def test_le_total_est_recompte_depuis_la_base():
    """Exigence 19 : un règlement arrivé entre la composition et l'envoi arrête la lettre."""
    courrier = un_courrier(nombre=2)
    lettre = composer(courrier, au=MARDI)
    ids = list(courrier.relances.values_list("echeance", flat=True))
    assert verification.manques_en_base(courrier, lettre, ids, au=MARDI) == []
    Echeance.objects.filter(pk=ids[0]).update(impute=Decimal("0.01"))
    (manque,) = verification.manques_en_base(courrier, lettre, ids, au=MARDI)
    assert manque.code == "total_change" and "1\u00a0999,99" in manque.phrase and manque.ou_corriger == "factures"


@pytest.mark.parametrize(
    ("champs", "code"),
    [({"jugement_ouverture_le": date(2026, 1, 5)}, "procedure"), ({"surendettement": True}, "surendettement")],
)
def test_ni_jugement_ni_surendettement_derriere_une_lettre(champs, code):
    """C. com., art. L622-21 ; C. conso., art. L722-2."""
    courrier = un_courrier()
    type(courrier.client).objects.filter(pk=courrier.client_id).update(**champs)
    assert code in codes(courrier)


def test_ni_promesse_derriere_une_lettre():
    courrier = un_courrier()
    PromesseFactory(echeances=[courrier.relances.get().echeance], date_promise=MARDI + timedelta(days=3))
    assert "promesse" in codes(courrier)


def test_un_litige_reduit_la_somme_reclamee():
    courrier = un_courrier()
    LitigeFactory(echeance=courrier.relances.get().echeance, montant_conteste=Decimal("400.00"))
    courrier = Courrier.objects.select_related("client", "societe", "palier").get(pk=courrier.pk)
    assert preparer(courrier, au=MARDI).lettre.totaux.a_payer == Decimal("600.00")
    assert codes(courrier) == []


def test_une_relance_annulee_ne_compte_pas_dans_la_somme():
    courrier = un_courrier(nombre=2)
    retiree = courrier.relances.order_by("pk").first()
    Relance.objects.filter(pk=retiree.pk).update(statut=Relance.Statut.ANNULEE)
    assert codes(courrier) == []
