"""Ce que les débiteurs ont écrit, déclaré ou reçu, dans le gros grand livre : de quoi remplir les écrans des réponses,
des déclarations, des accords, des pertes et des documents, et la page du débiteur. Déterministe, sans les services.
"""

from datetime import date, timedelta

from django.utils import timezone


def garnir(societe, fiches: list, *, au: date) -> None:
    """fiches : tous les clients, dans l'ordre de leur création. Une écriture par table ou presque."""
    hier = timezone.now() - timedelta(days=1)
    _messages(societe, fiches, hier)
    _declarations(societe, fiches, hier, au=au)
    _accords_et_pertes(fiches, au=au)
    _documents(fiches)


def _messages(societe, fiches: list, hier) -> None:
    """Un client sur treize a écrit ; la moitié attend d'être lue, le reste est lu ou n'est qu'un rejet constaté."""
    from relances.models import MessageRecu

    C, S = MessageRecu.Categorie, MessageRecu.Statut
    sortes = ((C.REPONSE, S.A_LIRE), (C.REPONSE, S.LU), (C.REPONSE, S.A_LIRE), (C.REJET, S.CONSTATE))
    MessageRecu.objects.bulk_create(
        (
            MessageRecu(societe=societe, client=c, origine=MessageRecu.Origine.IMAP, cle_source=f"<banc-{c.pk}@x>",
                        categorie=sortes[i % 4][0], statut=sortes[i % 4][1], recu_le=hier - timedelta(hours=i % 400),
                        de=c.courriel, de_nom=c.raison_sociale, objet="Re : Rappel",
                        texte="Bonjour, le règlement part cette semaine. Cordialement.", cite="> Rappel\n" * 12)
            for i, c in enumerate(fiches[5::13])
        ),
        batch_size=5_000,
    )  # fmt: skip


def _declarations(societe, fiches: list, hier, *, au: date) -> None:
    """La page est ouverte ; un client sur dix-neuf en a le lien, un sur deux de ceux-là y a déclaré quelque chose."""
    from relances.models import Declaration, LienPortail, ReglagePortail

    ReglagePortail.objects.get_or_create(societe=societe, defaults={"actif": True, "contact_donnees": "dpo@exemple.fr"})
    liens = LienPortail.objects.bulk_create(
        LienPortail(client=c, cree_le=au, expire_le=au + timedelta(days=90)) for c in fiches[4::19]
    )
    G, S = Declaration.Genre, Declaration.Statut
    Declaration.objects.bulk_create(
        Declaration(client_id=x.client_id, lien=x, genre=(G.PAYE, G.CONTESTE, G.PROMET)[i % 3], montant=1000,
                    statut=S.ACCEPTEE if i % 5 == 0 else S.A_TRAITER, jour=au + timedelta(days=i % 9),
                    texte="Virement fait ce matin", nom="Le comptable", faite_le=hier, cle=f"banc-{i}")
        for i, x in enumerate(liens[::2])
    )  # fmt: skip


def _accords_et_pertes(fiches: list, *, au: date) -> None:
    """Un client sur soixante et un a un accord à signer ou à approuver ; un sur quatre-vingt-dix-sept, une perte."""
    from factures.models import Accord, Echeance, PropositionPerte

    def premieres(clients: list):
        ouvertes = Echeance.objects.ouvertes().filter(client__in=[c.pk for c in clients], date_echeance__lt=au)
        return list(ouvertes.order_by("client_id", "pk").distinct("client_id").select_related("client"))

    A, pieces = Accord.Statut, premieres(fiches[6::61])
    accords = Accord.objects.bulk_create(
        Accord(client_id=e.client_id, genre=Accord.Genre.ECHEANCIER, montant=e.reste_du, cle=f"banc-{e.pk}",
               statut=A.A_APPROUVER if i % 4 == 0 else A.PROPOSE, propose_le=au, expire_le=au + timedelta(days=5),
               auteur=e.client.gestionnaire,
               termes={"mensualites": [
                   {"due_le": (au + timedelta(days=30 * n)).isoformat(), "montant": str(e.reste_du / 4)}
                   for n in range(1, 5)
               ]})
        for i, e in enumerate(pieces)
    )  # fmt: skip
    lien = Accord.echeances.through
    lien.objects.bulk_create(lien(accord=a, echeance=e) for a, e in zip(accords, pieces, strict=True))
    PropositionPerte.objects.bulk_create(
        PropositionPerte(echeance=e, montant=e.reste_du, motif="Liquidation close", propose_par=e.client.gestionnaire,
                         propose_le=au)
        for e in premieres(fiches[7::97])
    )  # fmt: skip


def _documents(fiches: list) -> None:
    """Un client sur neuf a six pièces jointes. Aucun fichier derrière : la liste seule se mesure."""
    from clients.models import Document

    Document.objects.bulk_create(
        (
            Document(client=c, nom=f"bon-{n}.pdf", type_mime="application/pdf", titre=f"Bon de livraison {n}",
                     chemin=f"documents/{c.pk}-{n}.pdf", empreinte=f"{c.pk:056d}{n:08d}", taille=40_000,
                     ajoute_par=c.gestionnaire)
            for c in fiches[8::9]
            for n in range(6)
        ),
        batch_size=5_000,
    )  # fmt: skip
