"""La chronologie d'un client : journal, courriers, argent, promesses, litiges et notes, fusionnés par page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from factures.models import Avoir, Encaissement, Litige, Promesse
from recouvrement.commun import formats
from recouvrement.commun.templatetags.interface import classe_palier
from recouvrement.commun.vues import adresse
from recouvrement.journal.models import Maillon
from relances.models import Courrier
from relances.services.taches import ISSUES, MOTIFS

PAR_PAGE = 25
PAGES_MAX = 40  # mille faits : au-delà, on filtre par genre

# Ce que les tables disent mieux que le journal : leur maillon ne se répète pas ici.
DITS_AILLEURS = ("client.note", "encaissement.saisi", "litige.ouvert", "litige.clos", "relance.envoyee")
S = Courrier.Statut


@dataclass
class Fait:
    quand: datetime | date
    titre: str
    texte: str = ""
    preuve: str = ""
    signe: str = "info-circle"
    ton: str = ""
    url: str = ""

    @property
    def cle(self) -> tuple:
        """Ordre : le jour, puis l'heure ; un fait sans heure se lit après ceux du même jour."""
        if isinstance(self.quand, datetime):
            local = timezone.localtime(self.quand)
            return local.date(), 1, local.time()
        return self.quand, 0, time()

    @property
    def moment(self) -> str:
        if isinstance(self.quand, datetime):
            return f"{formats.jour(self.quand)} · {timezone.localtime(self.quand):%H:%M}"
        return formats.jour(self.quand)


GENRES = ("tout", "envois", "appels", "notes", "argent", "suivi")


def chronologie(client: Client, *, page: int = 1, genre: str = "tout") -> tuple[list[Fait], bool]:
    """(faits de la page, s'il y en a d'autres), du plus récent au plus ancien. Sept requêtes au plus."""
    page = min(max(page, 1), PAGES_MAX)
    n = page * PAR_PAGE + 1
    sources = {
        "envois": (_courriers,),
        "appels": (_appels,),
        "notes": (_notes,),
        "argent": (_encaissements, _avoirs),
        "suivi": (_promesses, _litiges, _gestes),
    }
    choisies = sources.get(genre) or tuple(chain.from_iterable(sources.values()))
    faits = sorted(chain.from_iterable(source(client, n) for source in choisies), key=lambda f: f.cle, reverse=True)
    return faits[n - 1 - PAR_PAGE : n - 1], len(faits) >= n and page < PAGES_MAX


def compter(client: Client) -> int:
    """Nombre de faits, pour l'onglet ; sept comptes. Une promesse conclue, un litige clos en font deux."""
    promesses = client.promesses.aggregate(n=Count("pk") + Count("conclue_le"))["n"]
    litiges = Litige.objects.filter(echeance__client=client).aggregate(n=Count("pk") + Count("clos_le"))["n"]
    return (
        client.courriers.exclude(statut__in=(S.TACHE, S.ANNULE)).count()
        + client.encaissements.count()
        + client.avoirs.count()
        + promesses
        + litiges
        + _maillons(client).count()
        + client.notes.count()
    )


def _maillons(client: Client):
    """Le journal du client, moins ce que disent les tables (toute promesse s'y lit)."""
    tables = Q(action__in=DITS_AILLEURS) | Q(action__startswith="promesse.")
    return Maillon.objects.chronologie(client.pk).exclude(tables)


def _courriers(client: Client, n: int) -> Iterator[Fait]:
    etats = {
        S.A_VALIDER: (_("à valider"), "clock"),
        S.A_ENVOYER: (_("part au prochain envoi"), "clock"),
        S.EN_COURS: (_("en cours d'envoi"), "send"),
        S.A_POSTER: (_("à imprimer et poster"), "printer"),
        S.INCERTAIN: (_("sort inconnu : une personne doit vérifier"), "zoom-question"),
        S.EN_ERREUR: (_("en erreur"), "alert-triangle"),
        S.ENVOYE: ("", "send"),
        S.POSTE: ("", "mailbox"),
    }
    lignes = client.courriers.exclude(statut__in=(S.TACHE, S.ANNULE)).select_related("valide_par")
    for c in lignes.order_by("-pk")[:n]:
        mot, signe = etats[c.statut]
        morceaux = [c.get_canal_display()]
        if c.destinataire:
            morceaux.append(_("à %(adresse)s") % {"adresse": c.destinataire})
        if c.numero_suivi:
            morceaux.append(_("n° %(suivi)s") % {"suivi": c.numero_suivi})
        if c.retour:
            morceaux.append(
                _("%(retour)s le %(jour)s")
                % {"retour": c.get_retour_display().lower(), "jour": formats.jour(c.retour_le)}
            )
        if c.statut == S.EN_ERREUR and c.erreur:
            morceaux.append(c.erreur)
        if c.pdf_empreinte:
            morceaux.append(_("PDF conservé, empreinte %(debut)s…") % {"debut": c.pdf_empreinte[:8]})
        texte = _("%(pieces)s pièces, %(total)s") if c.pieces > 1 else _("%(pieces)s pièce, %(total)s")
        texte = texte % {"pieces": c.pieces, "total": formats.somme(c.total, c.devise)}
        yield Fait(
            c.envoye_le or c.created_at,
            c.get_nature_display(),
            f"{texte}, {mot}" if mot else texte,
            " · ".join(morceaux),
            signe,
            "mal" if c.statut in (S.EN_ERREUR, S.INCERTAIN) else classe_palier(c.nature),
            adresse("relances:courrier", c.pk),
        )


def _encaissements(client: Client, n: int) -> Iterator[Fait]:
    for e in Encaissement.objects.filter(client=client).order_by("-date", "-pk")[:n]:
        reste = e.montant - e.impute
        suite = _("reste %(reste)s à affecter") % {"reste": formats.somme(reste, e.devise)} if reste else _("affecté")
        yield Fait(
            e.date,
            _("%(mode)s reçu") % {"mode": e.get_mode_display()},
            f"{formats.somme(e.montant, e.devise)}, {suite}",
            " · ".join(filter(None, [e.reference, e.libelle])),
            "building-bank",
            "att" if reste else "bon",
        )


def _avoirs(client: Client, n: int) -> Iterator[Fait]:
    for a in Avoir.objects.filter(client=client).order_by("-date_emission", "-pk")[:n]:
        yield Fait(
            a.date_emission,
            _("Avoir %(numero)s") % {"numero": a.numero},
            formats.somme(a.montant, a.devise),
            signe="file-text",
            ton="bon",
        )


def _promesses(client: Client, n: int) -> Iterator[Fait]:
    s = Promesse.Statut
    fins = {
        s.TENUE: (_("Promesse tenue"), "check", "bon"),
        s.PARTIELLE: (_("Promesse tenue en partie"), "alert-triangle", "att"),
        s.ROMPUE: (_("Promesse rompue"), "x", "mal"),
        s.ANNULEE: (_("Promesse annulée"), "ban", ""),
    }
    lignes = client.promesses.select_related("auteur").prefetch_related("echeances__facture")
    for p in lignes.order_by("-faite_le", "-pk")[:n]:
        devise = next((e.devise for e in p.echeances.all()), "EUR")
        montant = formats.somme(p.montant, devise)
        pour = _("%(montant)s pour le %(jour)s") % {"montant": montant, "jour": formats.jour(p.date_promise)}
        pieces = ", ".join(sorted({e.facture.numero for e in p.echeances.all()}))
        preuve = " · ".join(filter(None, [str(p.auteur or ""), p.get_moyen_display().lower(), pieces]))
        yield Fait(p.faite_le, _("Promesse"), pour, preuve, "clipboard-check", "info")
        if p.conclue_le and p.statut in fins:
            titre, signe, ton = fins[p.statut]
            yield Fait(p.conclue_le, titre, pour, "", signe, ton)


def _litiges(client: Client, n: int) -> Iterator[Fait]:
    lignes = Litige.objects.filter(echeance__client=client).select_related("echeance__facture", "responsable", "auteur")
    for x in lignes.order_by("-ouvert_le", "-pk")[:n]:
        sur = _("%(montant)s contestés sur %(piece)s") % {
            "montant": formats.somme(x.montant_conteste, x.echeance.devise),
            "piece": x.echeance.facture.numero,
        }
        preuve = [x.get_categorie_display(), x.description]
        if x.responsable:
            preuve.append(_("responsable : %(nom)s") % {"nom": x.responsable})
        preuve.append(_("réponse attendue le %(jour)s") % {"jour": formats.jour(x.a_traiter_le)})
        yield Fait(x.ouvert_le, _("Litige ouvert"), sur, " · ".join(filter(None, preuve)), "hand-stop", "att")
        if x.clos_le:
            issue = f"{x.echeance.facture.numero}, {x.issue_lisible}"
            yield Fait(x.clos_le, _("Litige clos"), issue, "", "check", "bon")


def _notes(client: Client, n: int) -> Iterator[Fait]:
    for note in client.notes.select_related("auteur")[:n]:
        yield Fait(note.created_at, _("Note interne"), note.texte, str(note.auteur), "note")


def _appels(client: Client, n: int) -> Iterator[Fait]:
    issues = {issue.value: libelle for issue, libelle in ISSUES.items()}
    motifs = {motif.value: libelle for motif, libelle in MOTIFS.items()}
    for m in _maillons(client).filter(action="appel.consigne")[:n]:
        donnees = m.detail.donnees
        contact = donnees.get("contact")
        titre = _("Appel, %(contact)s") % {"contact": contact} if contact else _("Appel")
        issue, motif = issues.get(donnees.get("issue")), motifs.get(donnees.get("motif"))
        preuve = [str(m.acteur or ""), _("issue : %(issue)s") % {"issue": _(issue).lower()} if issue else ""]
        if motif:
            preuve.append(_("motif : %(motif)s") % {"motif": _(motif).lower()})
        if donnees.get("suite_le"):
            jour = formats.jour(date.fromisoformat(donnees["suite_le"]))
            preuve.append(_("suite le %(jour)s") % {"jour": jour})
        texte = m.detail.texte
        if texte and not texte.startswith("«"):
            texte = f"« {texte} »"
        yield Fait(m.quand, titre, texte, " · ".join(filter(None, preuve)), "phone", "p2")


def _gestes(client: Client, n: int) -> Iterator[Fait]:
    mots = {
        "client.suspendu": (_("Relances suspendues"), "player-pause", "att"),
        "client.suspension_levee": (_("Suspension levée"), "check", "bon"),
        "client.modifie": (_("Fiche modifiée"), "pencil", ""),
        "client.adresse_en_erreur": (_("Adresse en erreur"), "alert-triangle", "mal"),
        "client.adresse_retablie": (_("Adresse rétablie"), "check", "bon"),
        "client.jugement": (_("Jugement d'ouverture"), "gavel", "mal"),
        "client.jugement_retire": (_("Jugement retiré"), "gavel", ""),
        "contact.ajoute": (_("Contact ajouté"), "users", ""),
        "contact.modifie": (_("Contact modifié"), "users", ""),
        "tache.faite": (_("Tâche faite"), "check", "bon"),
        "tache.reportee": (_("Tâche reportée"), "clock", ""),
        "encaissement.impute": (_("Encaissement affecté"), "arrows-exchange", "bon"),
        "encaissement.desimpute": (_("Affectation défaite"), "arrow-back-up", ""),
        "piece.exclue": (_("Pièce exclue des relances"), "player-pause", "att"),
        "piece.reintegree": (_("Pièce réintégrée"), "check", "bon"),
        "echeancier.accepte": (_("Échéancier accepté"), "calendar", "info"),
        "echeancier.tenu": (_("Échéancier tenu"), "check", "bon"),
        "echeancier.rompu": (_("Échéancier rompu"), "x", "mal"),
        "echeancier.annule": (_("Échéancier annulé"), "ban", ""),
        "echeancier.en_cours": (_("Échéancier rouvert"), "arrow-back-up", ""),
        "copie.deposee": (_("Copie de facture déposée"), "paperclip", ""),
        "copie.retiree": (_("Copie de facture retirée"), "paperclip", ""),
        "levee.demandee": (_("Levée de frein demandée"), "key", "att"),
        "levee.approuvee": (_("Levée de frein approuvée"), "user-check", "att"),
        "levee.annulee": (_("Levée de frein annulée"), "key", ""),
        "decision.tranchee": (_("Mise en demeure ou abandon : tranché"), "scale", ""),
        "litige.prolonge": (_("Litige prolongé"), "hand-stop", "att"),
        "avoir.impute": (_("Avoir affecté"), "arrows-exchange", "bon"),
        "avoir.desimpute": (_("Affectation défaite"), "arrow-back-up", ""),
    }
    for m in _maillons(client).exclude(action="appel.consigne")[:n]:
        texte, donnees = m.detail.texte, m.detail.donnees
        titre, signe, ton = mots.get(m.action, ("", "history", ""))
        if not titre:  # geste d'un autre écran : son texte se suffit
            titre, texte = texte or m.action, ""
        fin = donnees.get("au") or donnees.get("le")
        preuve = [str(m.acteur or _("le passage de la nuit"))]
        if fin:
            jour = formats.jour(date.fromisoformat(fin))
            gabarit = _("jusqu'au %(jour)s") if m.action in ("client.suspendu", "piece.exclue") else _("au %(jour)s")
            preuve.append(gabarit % {"jour": jour})
        yield Fait(m.quand, titre, texte, " · ".join(preuve), signe, ton)
