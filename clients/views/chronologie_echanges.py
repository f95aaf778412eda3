"""Ce qui s'échange avec le client, dans la chronologie : courriers, messages, réponses, sa page, notes et mentions."""

from collections.abc import Iterator

from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _

from clients.models import Client, Document, Note, Partage
from recouvrement.commun import formats
from recouvrement.commun.templatetags.interface import classe_palier
from recouvrement.commun.vues import adresse
from relances.models import Courrier, Declaration, Message, MessageRecu, VisitePortail
from relances.services.pourquoi_partie import LIENS, pourquoi_parties, question

from .chronologie import Fait, Source

S, M = Courrier.Statut, Message.Statut
C = MessageRecu.Categorie


def _courriers(client: Client):
    parus = client.courriers.exclude(statut__in=(S.TACHE, S.ANNULE)).select_related(*LIENS)
    return parus.annotate(quand=Coalesce("envoye_le", "created_at"))


def _dire_courriers(lus: list[Courrier]) -> Iterator[Fait]:
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
    causes = pourquoi_parties(lus) if lus else {}
    for c in lus:
        mot, signe = etats[c.statut]
        texte = _("%(pieces)s pièces, %(total)s") if c.pieces > 1 else _("%(pieces)s pièce, %(total)s")
        texte = texte % {"pieces": c.pieces, "total": formats.somme(c.total, c.devise)}
        yield Fait(
            c.quand,
            c.get_nature_display(),
            f"{texte}, {mot}" if mot else texte,
            " · ".join(_preuves(c)),
            signe,
            "mal" if c.statut in (S.EN_ERREUR, S.INCERTAIN) else classe_palier(c.nature),
            adresse("relances:courrier", c.pk),
            question=question(c),
            pourquoi=causes[c.pk],
        )


def _preuves(c: Courrier) -> Iterator[str]:
    yield c.get_canal_display()
    if c.destinataire:
        yield _("à %(adresse)s") % {"adresse": c.destinataire}
    if c.numero_suivi:
        yield _("n° %(suivi)s") % {"suivi": c.numero_suivi}
    if c.retour:
        retour = {"retour": c.get_retour_display().lower(), "jour": formats.jour(c.retour_le)}
        yield _("%(retour)s le %(jour)s") % retour
    if c.statut == S.EN_ERREUR and c.erreur:
        yield c.erreur
    if c.pdf_empreinte:
        yield _("PDF conservé, empreinte %(debut)s…") % {"debut": c.pdf_empreinte[:8]}


def _messages(client: Client):
    ecrits = client.messages.exclude(statut=M.ANNULE).select_related("auteur")
    return ecrits.annotate(quand=Coalesce("envoye_le", "created_at"))


def _dire_messages(lus: list[Message]) -> Iterator[Fait]:
    etats = {
        M.A_ENVOYER: (_("part dans un instant"), "clock", ""),
        M.EN_COURS: (_("en cours d'envoi"), "send", ""),
        M.INCERTAIN: (_("sort inconnu : une personne doit vérifier"), "zoom-question", "mal"),
        M.EN_ERREUR: (_("en erreur"), "alert-triangle", "mal"),
        M.ENVOYE: ("", "send", "info"),
    }
    for m in lus:
        mot, signe, ton = etats[M(m.statut)]
        preuve = [m.get_support_display(), _("à %(adresse)s") % {"adresse": m.destinataire}, str(m.auteur or "")]
        preuve += [m.erreur if m.statut == M.EN_ERREUR else "", *(x.get("nom", "") for x in m.jointes)]
        titre = f"{m.get_genre_display()} ({mot})" if mot else m.get_genre_display()
        # Un code de signature ne se relit pas : il ne prouve rien une fois consommé.
        texte = m.objet if m.genre == Message.Genre.CODE else f"{m.objet}\n{m.texte}".strip()
        yield Fait(
            m.quand, titre, m.objet, " · ".join(filter(None, preuve)), signe, ton,
            adresse("relances:message", m.pk) if m.statut in (M.INCERTAIN, M.EN_ERREUR) else "",
            cite="" if m.genre == Message.Genre.CODE else texte,
        )  # fmt: skip


def _recus(client: Client):
    lus = MessageRecu.objects.filter(client=client).exclude(categorie=C.REMIS)
    return lus.select_related("courrier", "lu_par").prefetch_related("documents")


def _dire_recus(lus: list[MessageRecu]) -> Iterator[Fait]:
    signes = {
        C.REPONSE: ("message", "info"), C.ABSENCE: ("clock", ""), C.REJET: ("alert-triangle", "mal"),
        C.REJET_PASSAGER: ("alert-triangle", "att"), C.PLAINTE: ("hand-stop", "mal"), C.OPPOSITION: ("ban", "mal"),
    }  # fmt: skip
    for m in lus:
        signe, ton = signes.get(C(m.categorie), ("mail", ""))
        preuve = [m.de_nom, m.de or m.adresse_fautive, m.objet]
        if m.courrier:
            nom = m.courrier.reference or m.courrier.get_nature_display()
            preuve.append(_("en réponse à %(courrier)s") % {"courrier": nom})
        if m.code or m.diagnostic:
            preuve.append(" ".join(filter(None, [m.code, m.diagnostic])))
        if m.retient_jusqu_au and m.statut == MessageRecu.Statut.A_LIRE:
            preuve.append(_("retient les relances jusqu'au %(jour)s") % {"jour": formats.jour(m.retient_jusqu_au)})
        if m.absent_jusqu_au:
            preuve.append(_("absent jusqu'au %(jour)s") % {"jour": formats.jour(m.absent_jusqu_au)})
        titre = m.get_categorie_display()
        if m.statut == MessageRecu.Statut.A_LIRE:
            titre = _("%(quoi)s, à lire") % {"quoi": titre}
        refusees = [f"{x.get('nom', '')} ({x.get('motif', '')})" for x in m.pieces_refusees]
        yield Fait(
            m.recu_le, titre, m.texte, " · ".join(filter(None, [*preuve, *refusees])), signe, ton,
            adresse("relances:message_recu", m.pk), cite=m.cite, pieces=_fichiers(m.client_id, m.documents.all()),
        )  # fmt: skip


def _fichiers(client_id: int, documents: list[Document]) -> list[tuple[str, str]]:
    return [(str(d), reverse("clients:document_apercu", args=[client_id, d.pk])) for d in documents]


def _declarations(client: Client):
    return (
        Declaration.objects.filter(client=client)
        .select_related("decidee_par")
        .prefetch_related("documents", "echeances__facture")
    )


def _dire_declarations(lus: list[Declaration]) -> Iterator[Fait]:
    for d in lus:
        texte = [formats.somme(d.montant, d.devise) if d.montant is not None else ""]
        texte.append(_("le %(jour)s") % {"jour": formats.jour(d.jour)} if d.jour else "")
        texte.append(", ".join(sorted({e.facture.numero for e in d.echeances.all()})))
        preuve = [_("déclaré par le client sur sa page, à vérifier"), d.nom, d.get_statut_display(), d.decision]
        if d.retient_jusqu_au and d.statut == Declaration.Statut.A_TRAITER:
            preuve.append(_("retient les relances jusqu'au %(jour)s") % {"jour": formats.jour(d.retient_jusqu_au)})
        dit = ", ".join(filter(None, texte))
        yield Fait(
            d.faite_le, _("Sa page : « %(quoi)s »") % {"quoi": d.get_genre_display()},
            f"{dit}\n{d.texte}".strip(), " · ".join(filter(None, preuve)), "world", "info",
            adresse("relances:declaration", d.pk), pieces=_fichiers(d.client_id, d.documents.all()),
        )  # fmt: skip


def _visites(client: Client):
    return VisitePortail.objects.filter(lien__client=client)


def _dire_visites(lus: list[VisitePortail]) -> Iterator[Fait]:
    """Dites pour ce qu'elles sont : une visite n'est pas une personne (produit.md § 9)."""
    for v in lus:
        avis = _("une visite ne prouve pas une lecture : les antivirus ouvrent aussi les liens")
        yield Fait(v.le, _("Sa page : %(quoi)s") % {"quoi": v.get_genre_display().lower()}, v.detail, avis, "eye", "")


def _notes(client: Client):
    return Note.objects.filter(client=client).select_related("auteur").prefetch_related("partages__utilisateur")


def _dire_notes(lus: list[Note]) -> Iterator[Fait]:
    for note in lus:
        cites = [str(p.utilisateur) for p in note.partages.all() if p.genre == Partage.Genre.MENTION]
        preuve = [str(note.auteur)]
        if cites:
            preuve.append(_("à l'attention de %(noms)s") % {"noms": ", ".join(cites)})
        yield Fait(note.created_at, _("Note interne"), note.texte, " · ".join(preuve), "note")


SOURCES = (
    Source("courrier", "envois", "quand", True, _courriers, _dire_courriers),
    Source("message", "envois", "quand", True, _messages, _dire_messages),
    Source("recu", "recus", "recu_le", True, _recus, _dire_recus),
    Source("declaration", "recus", "faite_le", True, _declarations, _dire_declarations),
    Source("visite", "recus", "le", True, _visites, _dire_visites),
    Source("note", "notes", "created_at", True, _notes, _dire_notes),
)
