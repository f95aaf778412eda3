"""Textes de suite : promesse confirmée, facture renvoyée, réclamation reçue. Ton neutre, ni pénalité ni palier.

Les gabarits vivent dans `templates/relances/courriels/suites` ; leur contexte est fermé, comme celui d'une lettre.
"""

from collections.abc import Mapping

from . import courriels, moteur, parties
from .contexte import Destinataire, Emetteur, Gestionnaire
from .moteur import Objet


def rendre(
    suite: str,
    *,
    emetteur: Emetteur,
    destinataire: Destinataire,
    gestionnaire: Gestionnaire,
    reference: str,
    lien: str = "",
    **variables: Mapping | tuple,
) -> courriels.Courriel:
    """suite : « promesse », « facture », « contestation ». reference : à rappeler au virement. lien : page du client.

    Lève `VariableInconnue` si le gabarit nomme ce qu'on ne lui donne pas.
    """
    langue = destinataire.langue
    dossier = f"{'anglais/' if langue == 'en' else ''}suites/{suite}"
    contexte = {
        "client": parties.client(destinataire),
        "societe": parties.societe(emetteur, langue),
        "gestionnaire": parties.gestionnaire(gestionnaire, international=parties.a_l_etranger(destinataire)),
        "paiement": Objet("paiement", {"reference": reference, "lien": lien}),
        "courrier": Objet("courrier", {"copies": "", "date_limite": None}),
    } | {nom: Objet(nom, v) if isinstance(v, Mapping) else v for nom, v in variables.items()}
    objet, texte = (
        moteur.appliquer(moteur.moteur_courriels(), f"{dossier}/{partie}.txt", contexte)
        for partie in ("objet", "corps")
    )
    return courriels.au_net(objet, texte)
