"""Ce que les gabarits de la page reçoivent, pour un débiteur comme pour un aperçu de l'équipe."""

from .acces import Acces
from .releve import Releve, qr, relever
from .situations import situations


def contexte_de_la_page(acces: Acces) -> dict:
    """Le relevé et ses adresses ; `virement` : il y a un compte où payer, et quelque chose à payer."""
    releve = relever(acces.client, au=acces.au)
    _poser_adresses(acces, releve)
    premier = releve.compte("EUR")
    image = ""
    if premier and releve.qr_possible("EUR", premier.a_regler):
        image = qr(releve, premier.a_regler)
    return {
        "acces": acces,
        "releve": releve,
        "premier": premier,
        "qr": image,
        "url_qr": acces.url("qr_total", "EUR") if image else "",
        "virement": bool(acces.societe.iban) and not releve.ferme and not releve.regle,
        **situations(acces),
        **({"raison_fermee": ""} if releve.ferme else {}),  # dit plus haut, une fois
    }


def _poser_adresses(acces: Acces, releve: Releve) -> None:
    for compte in releve.comptes:
        for piece in compte.montrees:
            piece.pdfs = [acces.url("facture", copie.pk) for copie in piece.copies]
            if piece.payable and releve.qr_possible(compte.devise, piece.echeance.reclame):
                piece.url_qr = acces.url("qr_piece", piece.echeance.pk)


def contexte_des_donnees(acces: Acces) -> dict:
    return {"acces": acces}
