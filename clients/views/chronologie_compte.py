"""L'argent et les engagements dans la chronologie : encaissements, rejets, avoirs, imports, promesses, litiges."""

from collections.abc import Iterator

from django.db.models import Count, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client
from factures.models import Avoir, EchangeLitige, Encaissement, Facture, Litige, Lot, Promesse
from recouvrement.commun import formats
from recouvrement.commun.vues import adresse

from .chronologie import Fait, Source

FICHE = "clients.client"  # étiquette d'une trace d'import


def _encaissements(client: Client):
    return Encaissement.objects.filter(client=client)


def _dire_encaissements(lus: list[Encaissement]) -> Iterator[Fait]:
    for e in lus:
        reste = e.montant - e.impute
        suite = _("reste %(reste)s à affecter") % {"reste": formats.somme(reste, e.devise)} if reste else _("affecté")
        if e.rejete_le:
            suite = _("rejeté depuis")
        yield Fait(
            e.date,
            _("%(mode)s reçu") % {"mode": e.get_mode_display()},
            f"{formats.somme(e.montant, e.devise)}, {suite}",
            " · ".join(filter(None, [e.reference, e.libelle])),
            "building-bank",
            "att" if reste else "bon",
        )


def _dire_rejets(lus: list[Encaissement]) -> Iterator[Fait]:
    for e in lus:
        titre = _("%(mode)s rejeté") % {"mode": e.get_mode_display()}
        montant = formats.somme(e.montant, e.devise)
        yield Fait(
            e.rejete_le, titre, montant, " · ".join(filter(None, [e.reference, e.rejet_motif])), "circle-x", "mal"
        )


def _avoirs(client: Client):
    return Avoir.objects.filter(client=client)


def _dire_avoirs(lus: list[Avoir]) -> Iterator[Fait]:
    for a in lus:
        titre = _("Avoir %(numero)s") % {"numero": a.numero}
        yield Fait(a.date_emission, titre, formats.somme(a.montant, a.devise), signe="file-text", ton="bon")


def _imports(client: Client):
    """Imports qui ont créé une pièce de ce client, ou touché sa fiche."""

    def creees(modele):
        siennes = modele.objects.filter(client=client, lot=OuterRef("pk")).order_by().values("lot")
        return Coalesce(Subquery(siennes.annotate(n=Count("pk")).values("n")[:1], output_field=IntegerField()), 0)

    touche = Q(traces__objet=FICHE, traces__objet_id=client.pk)
    for modele in (Facture, Avoir, Encaissement):
        touche |= Q(pk__in=modele.objects.filter(client=client, lot__isnull=False).values("lot"))
    lots = Lot.objects.filter(societe=client.societe_id).filter(touche).distinct()
    return lots.annotate(factures=creees(Facture), avoirs=creees(Avoir), recus=creees(Encaissement))


def _dire_imports(lus: list[Lot]) -> Iterator[Fait]:
    for lot in lus:
        parts = [
            ngettext("%(n)d facture", "%(n)d factures", lot.factures) % {"n": lot.factures} if lot.factures else "",
            ngettext("%(n)d avoir", "%(n)d avoirs", lot.avoirs) % {"n": lot.avoirs} if lot.avoirs else "",
            ngettext("%(n)d encaissement", "%(n)d encaissements", lot.recus) % {"n": lot.recus} if lot.recus else "",
        ]
        quoi = ", ".join(filter(None, parts)) or _("la fiche du client")
        defait = lot.statut == Lot.Statut.DEFAIT
        titre = _("Import appliqué, puis défait") if defait else _("Import appliqué")
        yield Fait(lot.applique_le, titre, quoi, lot.fichier, "upload", "att" if defait else "")


def _promesses(client: Client):
    return Promesse.objects.filter(client=client).select_related("auteur").prefetch_related("echeances__facture")


def _dire_promesses(lus: list[Promesse]) -> Iterator[Fait]:
    for p in lus:
        pieces = ", ".join(sorted({e.facture.numero for e in p.echeances.all()}))
        preuve = " · ".join(filter(None, [str(p.auteur or ""), p.get_moyen_display().lower(), pieces]))
        yield Fait(p.faite_le, _("Promesse"), _promis(p), preuve, "clipboard-check", "info")


def _promis(p: Promesse) -> str:
    devise = next((e.devise for e in p.echeances.all()), "EUR")
    noms = {"montant": formats.somme(p.montant, devise), "jour": formats.jour(p.date_promise)}
    return _("%(montant)s pour le %(jour)s") % noms


def _promesses_conclues(client: Client):
    return _promesses(client).exclude(statut=Promesse.Statut.EN_ATTENTE)


def _dire_fins_de_promesses(lus: list[Promesse]) -> Iterator[Fait]:
    s = Promesse.Statut
    fins = {
        s.TENUE: (_("Promesse tenue"), "check", "bon"),
        s.PARTIELLE: (_("Promesse tenue en partie"), "alert-triangle", "att"),
        s.ROMPUE: (_("Promesse rompue"), "x", "mal"),
        s.ANNULEE: (_("Promesse annulée"), "ban", ""),
    }
    for p in lus:
        titre, signe, ton = fins[s(p.statut)]
        yield Fait(p.conclue_le, titre, _promis(p), "", signe, ton)


def _litiges(client: Client):
    lignes = Litige.objects.filter(echeance__client=client)
    return lignes.select_related("echeance__facture", "responsable", "auteur")


def _dire_litiges(lus: list[Litige]) -> Iterator[Fait]:
    for x in lus:
        noms = {
            "montant": formats.somme(x.montant_conteste, x.echeance.devise), "piece": x.echeance.facture.numero,
        }  # fmt: skip
        preuve = [x.get_categorie_display(), x.description]
        if x.responsable:
            preuve.append(_("responsable : %(nom)s") % {"nom": x.responsable})
        preuve.append(_("réponse attendue le %(jour)s") % {"jour": formats.jour(x.a_traiter_le)})
        sur = _("%(montant)s contestés sur %(piece)s") % noms
        yield Fait(x.ouvert_le, _("Litige ouvert"), sur, " · ".join(filter(None, preuve)), "hand-stop", "att")


def _dire_fins_de_litiges(lus: list[Litige]) -> Iterator[Fait]:
    for x in lus:
        yield Fait(x.clos_le, _("Litige clos"), f"{x.echeance.facture.numero}, {x.issue_lisible}", "", "check", "bon")


def _echanges(client: Client):
    lignes = EchangeLitige.objects.filter(litige__echeance__client=client)
    return lignes.select_related("litige__echeance__facture", "auteur", "document")


def _dire_echanges(lus: list[EchangeLitige]) -> Iterator[Fait]:
    sens = {
        EchangeLitige.Sens.RECU: (_("Litige, dit par le client"), "message"),
        EchangeLitige.Sens.ENVOYE: (_("Litige, répondu au client"), "send"),
        EchangeLitige.Sens.INTERNE: (_("Litige, entre nous"), "note"),
    }
    for x in lus:
        titre, signe = sens[EchangeLitige.Sens(x.sens)]
        e = x.litige.echeance
        pieces = []
        if x.document:
            pieces = [(str(x.document), reverse("clients:document_apercu", args=[e.client_id, x.document_id]))]
        preuve = " · ".join(filter(None, [e.facture.numero, str(x.auteur or "")]))
        yield Fait(x.le, titre, x.texte, preuve, signe, "att", adresse("factures:fiche", e.facture_id), pieces=pieces)


SOURCES = (
    Source("encaissement", "argent", "date", False, _encaissements, _dire_encaissements),
    Source("rejet", "argent", "rejete_le", False, _encaissements, _dire_rejets),
    Source("avoir", "argent", "date_emission", False, _avoirs, _dire_avoirs),
    Source("import", "argent", "applique_le", True, _imports, _dire_imports),
    Source("promesse", "suivi", "faite_le", False, _promesses, _dire_promesses),
    Source("promesse_conclue", "suivi", "conclue_le", False, _promesses_conclues, _dire_fins_de_promesses),
    Source("litige", "suivi", "ouvert_le", False, _litiges, _dire_litiges),
    Source("litige_clos", "suivi", "clos_le", False, _litiges, _dire_fins_de_litiges),
    Source("echange", "suivi", "le", False, _echanges, _dire_echanges),
)
