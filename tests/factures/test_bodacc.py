"""Annonces BODACC : formes lues, portée, arrêt des comptes, déclaration datée, rien de plus."""

import json
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.domaine.registres import Portee, issue, jour_lu, portee, siren_lu
from clients.models import AnnonceBodacc
from clients.procedures import retirer_jugement
from factures.imports.bodacc import portee_de
from factures.imports.fichier import examiner_fichier
from factures.imports.lecteurs import lire_seul, reconnaitre
from factures.imports.texte import FichierRefuse
from recouvrement.comptes.models import Role
from relances.models import Courrier, Tache
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory
from tests.factures.imports_essai import CLIENTS, prendre

SIREN = "894670793"
OUVERTURE = "Jugement d'ouverture de liquidation judiciaire"


def annonce(numero=1, *, siren=SIREN, nature=OUVERTURE, le="2026-02-03", parution="2026-02-10", **champs) -> dict:
    famille = champs.pop("famille_jugement", "Jugement d'ouverture")
    espace = f"{siren[:3]} {siren[3:6]} {siren[6:]}"
    return {
        "id": f"A2026001{numero}", "publicationavis": "A", "familleavis": "collective", "typeavis": "annonce",
        "dateparution": parution, "tribunal": "TC de Lyon", "registre": [siren, espace],
        "listepersonnes": json.dumps({"personne": {"denomination": "DURAND SARL"}}),
        "jugement": json.dumps({"famille": famille, "nature": nature, "date": le}),
    } | champs  # fmt: skip


def octets(objet) -> bytes:
    return json.dumps(objet).encode()


def lire(contenu: bytes):
    lot = lire_seul(examiner_fichier(contenu, "a"))
    return list(lot.elements), lot


PCL = """<?xml version="1.0" encoding="ISO-8859-1"?>
<PCL_REDIFF><parution>20260012</parution><dateParution>10 février 2026</dateParution><annonces>
<annonce><typeAnnonce><annonce/></typeAnnonce><nojo>1</nojo><numeroAnnonce>34</numeroAnnonce>
<tribunal>TC de Lyon</tribunal><numeroImmatriculation><numeroIdentificationRCS>894 670 793</numeroIdentificationRCS>
</numeroImmatriculation><personneMorale><denomination>DURAND</denomination></personneMorale>
<jugement><famille>Jugement d'ouverture</famille><nature>Jugement d'ouverture de liquidation judiciaire</nature>
<date>3 février 2026</date><complementJugement>Mandataire : Me X</complementJugement></jugement></annonce>
<annonce><typeAnnonce><annulation/></typeAnnonce><numeroAnnonce>35</numeroAnnonce>
<numeroImmatriculation><numeroIdentificationRCS>552 100 554</numeroIdentificationRCS></numeroImmatriculation></annonce>
</annonces></PCL_REDIFF>"""


# --- Lecture -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "forme",
    [
        lambda a: a, lambda a: [a], lambda a: {"total_count": 1, "results": [a]},
        lambda a: {"records": [{"fields": a}]}, lambda a: {"records": [{"record": {"fields": a}}]},
        lambda a: a | {"registre": "894670793,894 670 793", "jugement": json.loads(a["jugement"])},
    ],
)  # fmt: skip
def test_toutes_les_enveloppes_de_l_api_disent_la_meme_annonce(forme):
    (lue,), lot = lire(octets(forme(annonce())))
    assert (lue.siren, lue.famille, lue.nature) == (SIREN, "collective", OUVERTURE)
    assert (lue.jugement_le, lue.parution_le, lue.nom) == (date(2026, 2, 3), date(2026, 2, 10), "DURAND SARL")
    assert lot.faits["ouvertures"] == 1


def test_le_csv_de_l_api_et_le_json_lines_se_lisent():
    a = annonce()
    colonnes = ["id", "familleavis", "typeavis", "dateparution", "tribunal", "registre", "listepersonnes", "jugement"]
    a["registre"] = ",".join(a["registre"])
    ligne = ";".join('"' + str(a[c]).replace('"', '""') + '"' for c in colonnes)
    (lue,), _lot = lire((";".join(colonnes) + "\n" + ligne + "\n").encode())
    assert (lue.siren, lue.jugement_le) == (SIREN, date(2026, 2, 3))
    lignes, _lot = lire(octets(annonce(1)) + b"\n" + octets(annonce(2)))
    assert [x.identifiant for x in lignes] == ["A20260011", "A20260012"]


def test_le_pcl_de_la_dila_a_l_identifiant_de_l_api():
    lues, _lot = lire(PCL.encode("iso-8859-1"))
    assert [(x.identifiant, x.siren, portee_de(x)) for x in lues] == [
        ("A2026001234", SIREN, Portee.OUVERTURE),
        ("A2026001235", "552100554", Portee.ANNULATION),
    ]
    assert (lues[0].jugement_le, lues[0].parution_le, lues[0].nom) == (date(2026, 2, 3), date(2026, 2, 10), "DURAND")


def test_plusieurs_debiteurs_font_plusieurs_annonces_et_sans_siren_aucune():
    lues, lot = lire(octets([annonce(registre=[SIREN, "552 100 554"]), annonce(2, registre=None)]))
    assert [x.siren for x in lues] == [SIREN, "552100554"]
    assert lot.faits["sans_siren"] == 1


def test_l_urssaf_garde_le_zero_de_tete_et_n_ouvre_rien():
    texte = "Siret;Siren;Dt_effet;Cat_v2;Lib_actx_stdx\n01234567800011;012345678;26MAY2014;1;"
    (lue,), _lot = lire((texte + "Solde_procedure_redressement\n").encode())
    assert (lue.siren, lue.jugement_le, portee_de(lue)) == ("012345678", date(2014, 5, 26), Portee.AUTRE)
    (lue,), _lot = lire((texte + "Ouverture_redressement\n").encode())
    assert portee_de(lue) is Portee.OUVERTURE
    _lues, lot = lire((texte.replace("26MAY2014", "31FEB2014") + "Ouverture_redressement\n").encode())
    assert [r.champ for r in lot.rejets] == ["dt_effet"]


@pytest.mark.parametrize(
    "contenu",
    [
        b'{"familleavis": "collective", "dateparution": ',
        b'{"familleavis": ' + b"[" * 200_000 + b', "dateparution": 1',
        b'{"familleavis": "x", "dateparution": ' + b"9" * 10_000 + b"}",
        PCL.encode("iso-8859-1")[:700],
        b'<!DOCTYPE a [<!ENTITY b "c">]><PCL_REDIFF><annonces/></PCL_REDIFF>',
        b"<?xml version='1.0'?><RCS-B_REDIFF/>",
        b"<PCL_REDIFF>" + b"<a>" * 500 + b"</a>" * 500 + b"</PCL_REDIFF>",
    ],
)
def test_un_fichier_hostile_est_refuse_en_disant_pourquoi(contenu):
    with pytest.raises(FichierRefuse):
        fichier = examiner_fichier(contenu, "a")
        list(lire_seul(fichier, "bodacc" if reconnaitre(fichier) else "").elements)


@settings(max_examples=80, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda x: st.lists(x, max_size=4) | st.dictionaries(
            st.sampled_from(["id", "registre", "jugement", "listepersonnes", "results", "fields", "dateparution",
                             "familleavis", "personne", "nature", "date", "parution", "numeroannonce"]), x, max_size=5),
        max_leaves=25,
    )
)  # fmt: skip
def test_aucun_json_ne_fait_tomber_la_lecture(objet):
    try:
        list(lire_seul(examiner_fichier(octets(objet), "a"), "bodacc").elements)
    except FichierRefuse:
        pass


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(PCL) - 1), st.binary(max_size=6))
def test_aucun_xml_abime_ne_fait_tomber_la_lecture(ou, morceau):
    contenu = PCL.encode("iso-8859-1")
    try:
        list(lire_seul(examiner_fichier(contenu[:ou] + morceau + contenu[ou + len(morceau) :], "a"), "bodacc").elements)
    except FichierRefuse:
        pass


# --- Portée ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nature", "attendue"),
    [
        ("Jugement d'ouverture d'une procédure de sauvegarde", Portee.OUVERTURE),
        ("Jugement d’ouverture d’une procédure de redressement judiciaire", Portee.OUVERTURE),
        ("JUGEMENT D'OUVERTURE DE LIQUIDATION JUDICIAIRE SIMPLIFIEE", Portee.OUVERTURE),
        ("Jugement prononçant la résolution du plan de redressement et la liquidation judiciaire", Portee.OUVERTURE),
        ("Autre jugement d'ouverture", Portee.OUVERTURE),
        ("Jugement de conversion en liquidation judiciaire", Portee.CONVERSION),
        ("Jugement d'extension d'une procédure de liquidation judiciaire", Portee.EXTENSION),
        ("Jugement arrêtant le plan de redressement", Portee.PLAN),
        ("Jugement modifiant le plan de redressement", Portee.AUTRE),
        ("Jugement de clôture pour insuffisance d'actif", Portee.CLOTURE),
        ("Jugement de clôture pour extinction du passif", Portee.CLOTURE),
        ("Arrêt de la cour d'appel infirmant une décision d'ouverture de liquidation judiciaire", Portee.ANNULATION),
        ("Jugement de rejet d'une demande d'ouverture de redressement judiciaire", Portee.AUTRE),
        ("Appel du jugement d'ouverture de liquidation judiciaire", Portee.AUTRE),
        ("Jugement d'ouverture d'une procédure de rétablissement professionnel", Portee.AUTRE),
        ("Dépôt de l'état des créances", Portee.AUTRE),
        ("", Portee.AUTRE),
    ],
)
def test_seul_un_jugement_d_ouverture_ouvre(nature, attendue):
    famille = "Jugement d'ouverture" if "ouverture" in nature.lower() else "Autre"
    assert portee("collective", nature, famille=famille) is attendue


def test_une_annonce_annulee_ou_d_une_autre_famille_n_ouvre_rien():
    assert portee("collective", OUVERTURE, type_avis="annulation") is Portee.ANNULATION
    assert portee("vente", OUVERTURE) is Portee.AUTRE
    assert portee("dpc", "Dépôt des comptes") is Portee.AUTRE


def test_dates_sirens_et_issues_se_lisent():
    dits = ("8 septembre 2026", "1er août 2025", "26MAY2014", "2026-09-08", "31/02/2026", "x")
    assert [jour_lu(x) for x in dits] == [
        date(2026, 9, 8), date(2025, 8, 1), date(2014, 5, 26), date(2026, 9, 8), None, None,
    ]  # fmt: skip
    assert [siren_lu(x) for x in ("894 670 793 RCS Bayonne", "01234567800011", "12345", "")] == [
        SIREN, "012345678", "", "",
    ]  # fmt: skip
    assert (
        issue("Clôture pour insuffisance d’actif") == "insuffisance" and issue("extinction du passif") == "extinction"
    )


# --- Effets ------------------------------------------------------------------------------------


@pytest.fixture
def societe(db):
    return SocieteFactory()


@pytest.fixture
def comptes(societe):
    return [ClientFactory(societe=societe, siren=SIREN, code=code) for code in ("D1", "D2")]


def jugements(*clients):
    for c in clients:
        c.refresh_from_db()
    return [c.jugement_ouverture_le for c in clients]


def test_une_ouverture_arrete_tous_les_comptes_du_siren_et_date_la_declaration(societe, comptes):
    autre = ClientFactory(societe=societe, siren="552100554")
    ailleurs = ClientFactory(siren=SIREN)
    rendu = prendre(societe, octets(annonce()))
    assert rendu.ecrit and rendu.crees["annonces"] == 1
    assert jugements(*comptes) == [date(2026, 2, 3)] * 2
    assert jugements(autre, ailleurs) == [None, None]
    tache = Tache.objects.get(genre=Tache.Genre.DECLARER)
    assert (tache.client, tache.due_le, tache.butoir) == (comptes[0], date(2026, 4, 10), date(2026, 4, 10))
    assert "publication au BODACC" in tache.raison and "D2" in tache.raison
    assert not Courrier.objects.exists()


def test_rejouer_ne_change_rien_meme_apres_un_retrait(societe, comptes):
    prendre(societe, octets(annonce()))
    rendu = prendre(societe, octets(annonce()))
    assert rendu.crees["annonces"] == 0 and rendu.inchanges["annonces"] == 1
    assert Tache.objects.count() == 1
    acteur = UtilisateurFactory(role=Role.RESPONSABLE, societe=societe)
    retirer_jugement(comptes[0], motif="homonyme", acteur=acteur)
    prendre(societe, octets(annonce()))
    assert jugements(*comptes) == [None, None]


@pytest.mark.parametrize(
    "nature",
    [
        "Jugement de clôture pour insuffisance d'actif", "Jugement modifiant le plan de redressement",
        "Jugement de conversion en liquidation judiciaire", "Jugement de rejet d'une demande d'ouverture",
    ],
)  # fmt: skip
def test_le_reste_n_arrete_rien_et_se_dit(societe, comptes, nature):
    rendu = prendre(societe, octets(annonce(nature=nature, famille_jugement="Autre")))
    assert jugements(*comptes) == [None, None] and not Tache.objects.exists()
    assert any(nature in x for x in rendu.avertissements)


def test_un_jugement_deja_note_n_est_pas_remplace_en_silence(societe, comptes):
    comptes[0].jugement_ouverture_le = date(2025, 1, 7)
    comptes[0].save()
    rendu = prendre(societe, octets(annonce()))
    assert jugements(*comptes) == [date(2025, 1, 7), date(2026, 2, 3)]
    assert any("porte déjà le jugement du" in x for x in rendu.avertissements)


def test_une_procedure_close_n_empeche_pas_la_suivante(societe, comptes):
    for c in comptes:
        c.jugement_ouverture_le, c.procedure_cloturee_le, c.procedure_issue = date(2020, 1, 7), date(2022, 1, 7), "plan"
        c.save()
    prendre(societe, octets(annonce()))
    assert jugements(*comptes) == [date(2026, 2, 3)] * 2 and comptes[0].procedure_ouverte


def test_la_parution_corrige_le_butoir_d_un_jugement_deja_note(societe, comptes):
    comptes[0].jugement_ouverture_le = comptes[1].jugement_ouverture_le = date(2026, 2, 3)
    for c in comptes:
        c.save()
    Tache.objects.create(societe=societe, client=comptes[1], genre="declarer", titre="x", due_le=date(2026, 4, 3),
                         butoir=date(2026, 4, 3), cle="declarer")  # fmt: skip
    prendre(societe, octets(annonce()))
    assert Tache.objects.get().butoir == date(2026, 4, 10)


def test_annulee_dans_le_meme_fichier_une_ouverture_n_arrete_rien(societe, comptes):
    rendu = prendre(societe, octets([annonce(1), annonce(2, typeavis="annulation", parution="2026-02-20")]))
    assert jugements(*comptes) == [None, None]
    assert any("annulé ou infirmé" in x for x in rendu.avertissements)


def test_sans_client_une_annonce_se_garde_et_arrete_le_client_qui_arrive(societe):
    rendu = prendre(societe, octets(annonce()))
    assert AnnonceBodacc.objects.get().siren == SIREN and "sans client" in " ".join(rendu.avertissements)
    prendre(societe, CLIENTS + f"N1;Durand;30J;{SIREN};;entreprise;;;\n")
    assert societe.clients.get(code="N1").jugement_ouverture_le == date(2026, 2, 3)


def test_un_jugement_a_venir_ou_sans_date_est_rejete(societe, comptes):
    rendu = prendre(societe, octets([annonce(1, le="2026-05-01"), annonce(2, le="")]))
    assert [r.ligne for r in rendu.rejets] == [1, 2] and not rendu.ecrit
    assert jugements(*comptes) == [None, None] and not AnnonceBodacc.objects.exists()


def test_l_apercu_ne_garde_rien(societe, comptes):
    rendu = prendre(societe, octets(annonce()), essai=True)
    assert rendu.crees["annonces"] == 1 and any("arrêtés" in x for x in rendu.avertissements)
    assert jugements(*comptes) == [None, None] and not Tache.objects.exists() and not AnnonceBodacc.objects.exists()


def test_le_nombre_de_requetes_ne_suit_pas_les_annonces(societe, comptes):
    def compter(n, depart):
        with CaptureQueriesContext(connection) as capture:
            prendre(societe, octets([annonce(depart + i, siren=f"{100000000 + depart + i}") for i in range(n)]))
        return len(capture)

    compter(1, 0)
    assert compter(2, 10) == compter(60, 100)
