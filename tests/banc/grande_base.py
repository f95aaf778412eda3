"""Un gros grand livre écrit par la base elle-même : une société, son équipe, ses clients, un million de factures.

Déterministe : tout vient du rang de la ligne. Rien ne passe par les services, mais les contraintes tiennent, et les
sommes imputées sont justes. 30 % des pièces sont ouvertes, dont les deux tiers échues, comme `generer.py`.
"""

from datetime import date, timedelta
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from .grande_echanges import garnir

HORIZON = 900  # jours d'émission avant le jour de référence
PIECES = """
insert into factures_facture (created_at, updated_at, societe_id, client_id, cle_source, devise, numero, numero_reel,
    date_emission, montant_ttc, commande)
select now(), now(), %(societe)s, %(premier)s + (i * 7919) %% %(clients)s, 'B' || i, 'EUR',
    'FA-' || lpad(i::text, 8, '0'), true, %(au)s::date - 35 - ((i * 104729) %% %(horizon)s)::int,
    5000 + (i * 15485863) %% 950000, ''
from generate_series(1::bigint, %(factures)s) i
"""
# Une pièce récente reste ouverte plus souvent : 30 % en tout, dont une sur cinq payée en partie.
ECHEANCES = """
insert into factures_echeance (societe_id, client_id, facture_id, cle_source, date_facture, date_echeance, montant,
    impute, soldee_le, devise, prelevement, en_contentieux, niveau, niveau_rang)
select societe_id, client_id, id, cle_source, date_emission, date_emission + 30, montant_ttc,
    case when ouverte then case when id %% 5 = 0 then montant_ttc / 4 else 0 end else montant_ttc end,
    case when ouverte then null else least(date_emission + 30 + (id %% 40)::int, %(au)s::date) end,
    'EUR', false, false, case when ouverte and id %% 3 = 0 then 2 else 0 end,
    case when ouverte and id %% 3 = 0 then 2 else 0 end
from (select *, (id * 2654435761) %% 100 < case when date_emission > %(au)s::date - 120 then 90 else 21 end as ouverte
      from factures_facture) f
"""
ENCAISSEMENTS = """
insert into factures_encaissement (created_at, updated_at, societe_id, client_id, cle_source, devise, reference, date,
    montant, impute, mode, libelle)
select now(), now(), societe_id, client_id, cle_source, 'EUR', 'VIR ' || cle_source,
    coalesce(soldee_le, date_echeance + 10), impute, impute, 'virement', '' from factures_echeance where impute > 0
"""
IMPUTATIONS = """
insert into factures_imputation (societe_id, echeance_id, encaissement_id, date, montant, cle_source, created_at)
select e.societe_id, e.id, r.id, r.date, r.montant, e.cle_source, now()
from factures_echeance e join factures_encaissement r on r.societe_id = e.societe_id and r.cle_source = e.cle_source
"""


def remplir(*, clients: int, factures: int, gestionnaires: int, au: date) -> list[int]:
    """Remplit une base migrée et vide ; rend les identifiants des gestionnaires. Une transaction par table."""
    from clients.models import Client, Contact, TypeDebiteur
    from recouvrement.comptes.models import Affectation, Role, Societe, Utilisateur

    societe = Societe.objects.create(
        code="BANC", raison_sociale="Banc SAS", forme="SAS", capital="1 000 €", siren="999412075", rcs_ville="Nantes",
        adresse="1 rue du Banc", code_postal="44000", ville="Nantes", courriel="banc@exemple.fr",
        telephone="0261910000", iban="FR7699999044100002187654326", bic="VERDFRPPXXX",
        signataire_nom="A. Banc", signataire_fonction="gérante",
        ville_signature="Nantes", alimentee_par_import=False,
    )  # fmt: skip
    equipe = Utilisateur.objects.bulk_create(
        Utilisateur(courriel=f"g{i}@exemple.fr", nom=f"Gestionnaire {i}", password="!") for i in range(gestionnaires)
    )
    Affectation.objects.bulk_create(Affectation(utilisateur=u, societe=societe, role=Role.GESTIONNAIRE) for u in equipe)
    fiches = Client.objects.bulk_create(
        (
            Client(societe=societe, code=f"C{i:06d}", raison_sociale=f"Client {i * 7919 % clients:06d} SARL",
                   type=TypeDebiteur.ENTREPRISE, courriel=f"c{i}@exemple.fr", telephone="0240000000", adresse="1 rue X",
                   code_postal="44000", ville="Nantes", gestionnaire=equipe[i % gestionnaires],
                   plafond=Decimal(50_000))
            for i in range(clients)
        ),
        batch_size=5_000,
    )  # fmt: skip
    Contact.objects.bulk_create(
        (
            Contact(client=c, nom=f"Contact {c.code}", courriel=f"k{c.code}@exemple.fr", telephone="0611223344",
                    recoit_relances=True)
            for c in fiches
        ),
        batch_size=5_000,
    )  # fmt: skip
    valeurs = {
        "societe": societe.pk, "premier": fiches[0].pk, "clients": clients, "factures": factures, "au": au,
        "horizon": HORIZON,
    }  # fmt: skip
    with connection.cursor() as cur:
        for ordre in (PIECES, ECHEANCES, ENCAISSEMENTS, IMPUTATIONS):
            cur.execute(ordre, valeurs)
    _activite(societe, fiches, au=au)
    garnir(societe, fiches, au=au)
    with connection.cursor() as cur:
        cur.execute("analyze")
    return [u.pk for u in equipe]


def _activite(societe, fiches, *, au: date) -> None:
    """Ce qu'une équipe a sous la main un matin : appels, lettres à valider, promesses, litiges, virements, notes."""
    from clients.models import Note
    from factures.models import Echeance, Encaissement, Litige, Promesse
    from relances.domaine.natures import Canal, Nature
    from relances.models import Courrier, Palier, Passage, Tache
    from relances.services.plans import installer_plans

    installer_plans(societe)
    palier = Palier.objects.filter(version__echelle__societe=societe, nature=Nature.RAPPEL_COURTOIS).first()
    passage = Passage.objects.create(societe=societe, au=au, numero=1, genre="manuel", statut="termine")
    hier = timezone.now() - timedelta(days=1)
    Tache.objects.bulk_create(
        (
            Tache(
                societe=societe,
                client=c,
                genre="appel",
                titre="Appeler",
                due_le=au - timedelta(days=i % 5),
                cle="appel",
            )
            for i, c in enumerate(fiches[::11])
        ),
        batch_size=5_000,
    )
    Courrier.objects.bulk_create(
        (
            Courrier(societe=societe, client=c, passage=passage, palier=palier, nature=palier.nature,
                     canal=Canal.COURRIEL, statut="a_valider" if i % 10 == 0 else "envoye",
                     envoye_le=None if i % 10 == 0 else hier, reference=f"REL-{i}", destinataire=c.courriel,
                     objet="Rappel", texte="Bonjour", principal=Decimal(1000), total=Decimal(1000), pieces=1)
            for i, c in enumerate(fiches[::7])
        ),
        batch_size=5_000,
    )  # fmt: skip
    Note.objects.bulk_create(
        (Note(client=c, auteur=c.gestionnaire, texte=f"Note {i}") for c in fiches[::3] for i in range(3)),
        batch_size=5_000,
    )
    ouvertes = list(
        Echeance.objects.ouvertes().filter(client__in=[c.pk for c in fiches[1::31]], date_echeance__lt=au)
        .order_by("client_id", "pk").distinct("client_id")
    )  # fmt: skip
    promesses = Promesse.objects.bulk_create(
        Promesse(client_id=e.client_id, montant=e.reste_du, date_promise=au + timedelta(days=i % 9), faite_le=au,
                 du_a_la_promesse=e.reste_du)
        for i, e in enumerate(ouvertes)
    )  # fmt: skip
    Promesse.echeances.through.objects.bulk_create(
        Promesse.echeances.through(promesse=p, echeance=e) for p, e in zip(promesses, ouvertes, strict=True)
    )
    contestees = (
        Echeance.objects.ouvertes().filter(client__in=[c.pk for c in fiches[2::29]]).order_by("client_id", "pk")
        .distinct("client_id")
    )  # fmt: skip
    Litige.objects.bulk_create(
        Litige(echeance=e, montant_conteste=e.reste_du, categorie="prix", ouvert_le=au, a_traiter_le=au)
        for e in contestees
    )
    Encaissement.objects.bulk_create(
        Encaissement(societe=societe, client=c, cle_source=f"LIBRE{c.pk}", reference="VIR", date=au,
                     montant=Decimal("321.00"))
        for c in fiches[3::101]
    )  # fmt: skip
