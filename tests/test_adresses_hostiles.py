"""Une adresse écrite à la main ne fait jamais tomber un écran : NUL, demi-codet, texte ou entier démesuré."""

import re
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client as Navigateur

from recouvrement.comptes.models import Role

from .test_maison import fichiers_du_depot
from .test_routes import NOTRES, PORTAIL, adresse, fondation, monde  # noqa: F401  les fixtures se reprennent telles quelles

LECTURE = re.compile(
    r"""(?:GET\.get(?:list)?\(|GET\[|(?:texte|valeur_parmi|onglets|jour\w*)\((?:self\.)?request, )"(\w+)\""""
)
# Lus par un formulaire lié à l'adresse.
DE_FORMULAIRE = {"pieces", "nombre", "premiere", "accepte_le", "clause_decheance", "page", "tri", "societe"}
VALEURS = {
    "NUL": "a%00b",
    "demi-codet": "%ED%A0%80",
    "dix mille caractères": "a" * 10_000,
    "dix mille chiffres": "9" * 10_000,
    "au-delà de soixante-quatre bits": str(2**63),
}


def parametres_lus() -> list[str]:
    """Noms de paramètres que les vues lisent dans l'adresse."""
    sources = [
        f.read_text(encoding="utf-8") for f in fichiers_du_depot() if f.suffix == ".py" and "tests" not in f.parts
    ]
    return sorted({nom for source in sources for nom in LECTURE.findall(source)} | DE_FORMULAIRE)


def test_les_parametres_lus_se_trouvent():
    assert {"q", "devise", "segment", "lettre", "apres", "ouvert"} <= set(parametres_lus())


@pytest.mark.variables_inconnues_permises
@pytest.mark.parametrize("valeur", VALEURS.values(), ids=VALEURS)
def test_aucune_adresse_ne_fait_tomber_un_ecran(monde, valeur):  # noqa: F811
    noms, navigateur = parametres_lus(), Navigateur(raise_request_exception=False)
    navigateur.force_login(monde.personnes[Role.ADMINISTRATEUR])
    # Dix mille caractères vingt fois ne tiennent pas dans une adresse : les seules lectures libres, alors.
    if len(valeur) > 1000:
        noms = ["q", "devise", "segment", "lignes", "apres", "page", "client", "pieces", "nombre", "f", "d", "ouvert"]
    requete = "&".join(f"{quote(nom)}={valeur}" for nom in noms)
    tombes = []
    for nom in sorted(set(NOTRES) - PORTAIL):  # la page du client : tests/portail/test_cloisons.py
        for entetes in ({}, {"HTTP_HX_REQUEST": "true"}):
            with transaction.atomic():
                reponse = navigateur.get(f"{adresse(nom, monde.objets)}?{requete}", **entetes)
                if reponse.streaming:
                    b"".join(reponse.streaming_content)
                transaction.set_rollback(True)
            if reponse.status_code >= 500:
                tombes.append(nom)
    assert tombes == []
