"""docs/api.md ne cite que des adresses et des portées qui existent, et son exemple d'écriture marche."""

import json
import re
from pathlib import Path

from recouvrement.api.application import operations
from recouvrement.api.portees import Portee

TEXTE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def test_les_adresses_et_les_portees_citees_existent():
    lignes = re.findall(r"^\| (`.+) \| `(\w+:\w+)` \|$", TEXTE, flags=re.M)
    chemins = {
        chemin: {op.methods[0]: op.auth_callbacks[0].portee for op in ops} for chemin, ops in operations().items()
    }
    cites = {(c.split("?")[0], portee) for cellule, portee in lignes for c in re.findall(r"`([^`]+)`", cellule)}
    assert {(c, portee) for c, portee in cites if chemins[c].get("GET") != portee} == set()
    lus = {c for c, methodes in chemins.items() if "GET" in methodes} - {"moi"}
    assert {c for c, _portee in cites} == lus
    assert {portee for _c, portee in cites} == {p.value for p in Portee if p.endswith(":lire")}


def test_l_exemple_d_ecriture_marche(monde, api):
    corps = json.loads(re.search(r"-d '(\{.+\})'", TEXTE).group(1))
    reponse = api.post("encaissements", corps | {"client": monde.client.pk})
    assert reponse.status_code == 201
    assert reponse.json()["montant"] == corps["montant"]
