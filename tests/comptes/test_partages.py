"""Ouvrir un client à un collègue : mention dans une note, tâche confiée ; ce client-là, et lui seul."""

from datetime import date, datetime, time, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from clients.models import Client, Note, Partage
from clients.partages import mentionnes, noter_et_prevenir
from recouvrement.commun import horloge
from recouvrement.comptes.models import Role
from relances.models import Tache
from relances.services.confier import confier_tache, refermer_les_affaires_finies, rendre_tache
from relances.services.taches import terminer_tache
from tests.clients.factories import ClientFactory
from tests.comptes.factories import SocieteFactory, UtilisateurFactory

AU = date(2026, 11, 20)


@pytest.fixture(autouse=True)
def vendredi(monkeypatch):
    monkeypatch.setattr(horloge, "maintenant", lambda: timezone.make_aware(datetime.combine(AU, time(10))))


def le(jour, monkeypatch):
    monkeypatch.setattr(horloge, "maintenant", lambda: timezone.make_aware(datetime.combine(jour, time(10))))


@pytest.fixture
def societe(db):
    return SocieteFactory()


@pytest.fixture
def claire(societe):
    return UtilisateurFactory(societe=societe, nom="Claire Bonnet")


@pytest.fixture
def paul(societe):
    """De la même société, sans aucun client."""
    return UtilisateurFactory(societe=societe, nom="Paul Vidal")


@pytest.fixture
def belcourt(societe, claire):
    ClientFactory(societe=societe, gestionnaire=claire, raison_sociale="Autre")
    return ClientFactory(societe=societe, gestionnaire=claire, raison_sociale="Belcourt")


def neuf(personne):
    return type(personne).objects.get(pk=personne.pk)


def visibles(personne) -> list[str]:
    return sorted(Client.objects.visibles_pour(neuf(personne)).values_list("raison_sociale", flat=True))


def tache(client, titre="Appeler") -> Tache:
    return Tache.objects.create(societe=client.societe, client=client, genre="appel", titre=titre, due_le=AU, cle=titre)


# --- Reconnaître un nom -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texte", "reconnus", "inconnus"),
    [
        ("@Paul Vidal, peux-tu voir ?", ["Paul Vidal"], []),
        ("voir avec @paul  vidal.", ["Paul Vidal"], []),
        ("@Paul Vidalin", [], ["Paul"]),
        ("@Paul", ["Paul Vidal"], []),
        ("@paul peux-tu voir ?", ["Paul Vidal"], []),
        ("@Anne peux-tu voir ?", [], ["Anne"]),
        ("@Pau", [], ["Pau"]),
        ("écrire à compta@paul.example", [], []),
        ("@Paul Vidal et @Claire Bonnet et @Paul Vidal", ["Paul Vidal", "Claire Bonnet"], []),
        ("@Anne Martin-Leroy est absente", ["Anne Martin-Leroy"], []),
        ("@@ 50 % @ 12", [], []),
    ],
)
def test_un_nom_precede_d_une_arobase_se_reconnait(db, texte, reconnus, inconnus):
    personnes = [UtilisateurFactory(nom=n) for n in ("Paul Vidal", "Claire Bonnet", "Anne Martin", "Anne Martin-Leroy")]
    trouves, doubles, autres = mentionnes(texte, personnes)
    assert ([x.nom for x in trouves], doubles, autres) == (reconnus, [], inconnus)


def test_deux_homonymes_ne_se_devinent_pas(societe, claire, belcourt):
    premier, _second = (UtilisateurFactory(societe=societe, nom="Jean Petit") for _ in range(2))
    with pytest.raises(ValidationError, match="cochez la bonne"):
        noter_et_prevenir(belcourt, texte="@Jean Petit", acteur=claire, au=AU)
    assert not Note.objects.exists()
    _note, prevenus = noter_et_prevenir(belcourt, texte="@Jean Petit", acteur=claire, au=AU, prevenir=[premier])
    assert prevenus == [premier]


# --- Mention ----------------------------------------------------------------------------------------------


def test_une_mention_ouvre_ce_client_et_lui_seul_trente_jours(claire, paul, belcourt, monkeypatch):
    assert visibles(paul) == []
    noter_et_prevenir(belcourt, texte="@Paul Vidal un avis ?", acteur=claire, au=AU)
    assert visibles(paul) == ["Belcourt"]
    le(AU + timedelta(30), monkeypatch)
    assert visibles(paul) == ["Belcourt"]
    le(AU + timedelta(31), monkeypatch)
    assert visibles(paul) == []


def test_un_etranger_a_la_societe_n_est_pas_mentionnable(client, claire, belcourt):
    etranger = UtilisateurFactory(nom="Hors Lieu")
    ferme = UtilisateurFactory(societe=belcourt.societe, nom="Parti Loin", is_active=False)
    noter_et_prevenir(belcourt, texte="@Hors Lieu @Parti Loin", acteur=claire, au=AU, prevenir=[etranger, ferme])
    assert not Partage.objects.exists()
    client.force_login(claire)
    page = client.post(reverse("clients:geste", args=[belcourt.pk, "noter"]), {"texte": "x", "prevenir": [etranger.pk]})
    assert page.status_code == 422
    assert visibles(etranger) == []


def test_la_mention_est_dans_la_journee_du_collegue_se_lit_et_se_repond(client, claire, paul, belcourt):
    client.force_login(claire)
    url = reverse("clients:geste", args=[belcourt.pk, "noter"])
    assert client.post(url, {"texte": "Un avis ?", "prevenir": [paul.pk]}).status_code == 303
    mention = Partage.objects.get()
    client.force_login(paul)
    page = client.get("/").content.decode()
    assert "Lire la note de Claire Bonnet" in page and "« Un avis ? »" in page.replace("\u00a0", " ")
    fiche = client.get(reverse("clients:fiche", args=[belcourt.pk]), {"volet": "noter", "repond_a": mention.pk})
    assert "@Claire Bonnet " in fiche.content.decode()
    client.post(url, {"texte": "@Claire Bonnet oui", "repond_a": mention.pk})
    mention.refresh_from_db()
    assert mention.lu_le
    assert "Lire la note de" not in client.get("/").content.decode()
    client.force_login(claire)
    assert "Lire la note de Paul Vidal" in client.get("/").content.decode()
    retour = Partage.objects.get(utilisateur=claire)
    assert client.post(reverse("pilotage:mention_lue", args=[retour.pk])).status_code == 303
    assert client.post(reverse("pilotage:mention_lue", args=[mention.pk])).status_code == 404


def test_la_meme_note_renvoyee_ne_previent_qu_une_fois(claire, paul, belcourt):
    for _ in range(2):
        noter_et_prevenir(belcourt, texte="@Paul Vidal", acteur=claire, au=AU, cle="unique")
    assert (Note.objects.count(), Partage.objects.count()) == (1, 1)


def test_la_note_dit_qui_sera_prevenu_avant_d_enregistrer(client, claire, paul, belcourt):
    client.force_login(claire)
    url = reverse("clients:effet", args=[belcourt.pk, "noter"])
    dits = client.get(url, {"texte": "@Paul Vidal et @Nadine"}).content.decode().replace("\u00a0", " ")
    assert "Paul Vidal lira cette note dans sa journée" in dits
    assert "« @Nadine » n&#x27;est personne de la société" in dits


def test_on_ne_repond_pas_a_la_mention_d_un_autre(client, societe, claire, paul, belcourt):
    noter_et_prevenir(belcourt, texte="@Paul Vidal", acteur=claire, au=AU)
    mention = Partage.objects.get()
    client.force_login(claire)
    page = client.post(reverse("clients:geste", args=[belcourt.pk, "noter"]), {"texte": "x", "repond_a": mention.pk})
    assert page.status_code == 422
    mention.refresh_from_db()
    assert mention.lu_le is None


# --- Confier ----------------------------------------------------------------------------------------------


def test_une_tache_confiee_change_de_journee_et_se_dit(client, claire, paul, belcourt):
    t = tache(belcourt)
    client.force_login(claire)
    url = reverse("pilotage:tache_confier", args=[t.pk])
    assert client.post(url, {"a": paul.pk, "motif": "il les connaît"}).status_code == 303
    page = client.get("/").content.decode()
    assert "Confiées à des collègues" in page and "confiée à Paul Vidal" in page
    assert page.count("data-ligne") == 0
    client.force_login(paul)
    page = client.get("/").content.decode()
    assert "confiée par Claire Bonnet : il les connaît" in page.replace("\u00a0", " ")
    assert page.count("data-ligne") == 1
    assert visibles(paul) == ["Belcourt"]


def test_faite_la_fiche_se_referme_le_soir(claire, paul, belcourt, monkeypatch):
    premiere, seconde = tache(belcourt), tache(belcourt, "Écrire")
    for t in (premiere, seconde):
        assert confier_tache(t, a=paul, motif="x", acteur=claire, au=AU)
    assert Partage.objects.count() == 1
    terminer_tache(premiere, issue="fait", acteur=paul)
    assert refermer_les_affaires_finies(au=AU) == 0
    terminer_tache(seconde, issue="fait", acteur=paul)
    assert refermer_les_affaires_finies(au=AU) == 1
    assert refermer_les_affaires_finies(au=AU) == 0
    assert visibles(paul) == ["Belcourt"]  # ce soir encore, pour relire ou défaire
    le(AU + timedelta(1), monkeypatch)
    assert visibles(paul) == []


def test_reprise_par_qui_l_avait_confiee_elle_se_referme_tout_de_suite(claire, paul, belcourt):
    t = tache(belcourt)
    confier_tache(t, a=paul, motif="x", acteur=claire, au=AU)
    assert rendre_tache(t, acteur=claire, au=AU)
    assert not rendre_tache(t, acteur=claire, au=AU)
    assert visibles(paul) == []


def test_rendue_par_le_collegue_elle_revient_au_gestionnaire(client, claire, paul, belcourt):
    t = tache(belcourt)
    confier_tache(t, a=paul, motif="x", acteur=claire, au=AU)
    client.force_login(paul)
    assert client.post(reverse("pilotage:tache_rendre", args=[t.pk])).status_code == 303
    t.refresh_from_db()
    assert t.confiee_a is None
    client.force_login(claire)
    assert client.get("/").content.decode().count("data-ligne") == 1


def test_confiee_a_un_autre_la_premiere_personne_perd_la_fiche(societe, claire, paul, belcourt):
    marie = UtilisateurFactory(societe=societe)
    t = tache(belcourt)
    confier_tache(t, a=paul, motif="x", acteur=claire, au=AU)
    confier_tache(t, a=marie, motif="y", acteur=claire, au=AU)
    assert (visibles(paul), visibles(marie)) == ([], ["Belcourt"])


@pytest.mark.parametrize("qui", ["lecteur", "etranger", "soi", "sans_mot"])
def test_on_ne_confie_qu_a_qui_peut_agir_et_avec_un_mot(client, societe, claire, paul, belcourt, qui):
    a = {
        "lecteur": lambda: UtilisateurFactory(societe=societe, role=Role.LECTEUR), "etranger": UtilisateurFactory,
        "soi": lambda: claire, "sans_mot": lambda: paul,
    }[qui]()  # fmt: skip
    client.force_login(claire)
    t = tache(belcourt)
    motif = "" if qui == "sans_mot" else "x"
    page = client.post(reverse("pilotage:tache_confier", args=[t.pk]), {"a": a.pk, "motif": motif})
    assert page.status_code == 422
    t.refresh_from_db()
    assert t.confiee_a is None
    with pytest.raises(ValidationError):
        confier_tache(t, a=a, motif=motif, acteur=claire, au=AU)
