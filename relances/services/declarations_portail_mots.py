"""Les phrases d'une déclaration : le résumé, la tâche de l'équipe, l'accusé au client. Texte seul, ton neutre."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _n

from factures.domaine.calendrier import ajouter_jours_ouvres
from factures.models import Echeance, Litige
from factures.models.grand_livre import Mode
from recouvrement.commun.formats import jour as jour_lisible
from recouvrement.commun.formats import somme
from relances.domaine.declarations import Examen
from relances.models import Declaration, LienPortail, Message, Tache

from .messages import DELAI_ANNULATION, ecrire
from .preparation import mentions
from .taches import creer_tache

G, S = Declaration.Genre, Declaration.Statut
REPONSE_JOURS = 2  # ouvrés : ce que la page promet, et le jour de la tâche


def dans_la_langue_de_l_equipe():
    """La page parle la langue du client ; la tâche et le journal, celle de l'équipe."""
    return translation.override(settings.LANGUAGE_CODE)


def resume(declaration: Declaration) -> str:
    """« J'ai payé : 1 200,00 €, le 18/11/2026 », pour le journal, les tâches et les listes."""
    d, morceaux = declaration, []
    if d.montant is not None:
        morceaux.append(somme(d.montant, d.devise))
    if d.genre == G.DELAI:
        morceaux.append(_("en %(n)s fois dès le %(jour)s") % {"n": d.categorie, "jour": jour_lisible(d.jour)})
    elif d.jour:
        gabarit = _("pour le %(jour)s") if d.genre == G.PROMET else _("le %(jour)s")
        morceaux.append(gabarit % {"jour": jour_lisible(d.jour)})
    return f"{d.get_genre_display()} : {', '.join(morceaux)}" if morceaux else d.get_genre_display()


def precision(declaration: Declaration) -> str:
    """Ce que `categorie` veut dire pour ce genre : moyen, motif, ou pourquoi une personne l'examine."""
    code = declaration.categorie
    if declaration.genre == G.PAYE and code in Mode.values:
        return str(Mode(code).label)
    if declaration.genre == G.CONTESTE and code in Litige.Categorie.values:
        return str(Litige.Categorie(code).label)
    if declaration.genre == G.PROMET and code:
        return {
            Examen.TROP_LOIN: _("date au-delà de ce qui vaut sans relecture"),
            Examen.TROP_PEU: _("moins de la moitié de ce qui est dû"),
            Examen.DEJA_PROMIS: _("une promesse attend déjà sur ces pièces"),
            Examen.DEJA_ROMPUE: _("une promesse récente n'a pas été tenue"),
        }.get(code, "")
    return ""


def ouvrir_tache(declaration: Declaration, pieces: list[Echeance]) -> Tache:
    """Une tâche par déclaration, pour le prochain jour ouvré : le client attend une réponse."""
    region = declaration.client.societe.region_feries
    au = timezone.localtime(declaration.faite_le).date()
    with dans_la_langue_de_l_equipe():
        numeros = ", ".join(sorted({p.facture.numero for p in pieces}))
        return creer_tache(
            declaration.client, genre=Tache.Genre.DECLARATION, titre=resume(declaration)[:200],
            due_le=ajouter_jours_ouvres(au, 1, region), cle=cle_de_tache(declaration),
            raison=" · ".join(filter(None, [precision(declaration), numeros])),
        )  # fmt: skip


def cle_de_tache(declaration: Declaration) -> str:
    return f"declaration:{declaration.pk}"


def clore_tache(declaration: Declaration, *, issue: str, acteur) -> None:
    Tache.objects.filter(client=declaration.client_id, cle=cle_de_tache(declaration), faite_le=None).update(
        faite_le=timezone.now(), faite_par=acteur, issue=issue[:200]
    )


def adresse_du_lien(lien: LienPortail) -> str:
    """Où écrire à qui tient ce lien : l'adresse qui l'a reçu, sinon celle du compte ; vide s'il n'y en a pas."""
    recue = lien.courrier.destinataire if lien.courrier else lien.message.destinataire if lien.message else ""
    adresse = recue.split(",")[0].strip() if "@" in recue else ""
    return adresse or lien.client.courriel_utilisable


def accuser(declaration: Declaration) -> Message | None:
    """Dit au client ce qui est reçu et ce qui en vient ; None s'il n'a pas d'adresse : la page, elle, l'a dit."""
    if declaration.genre == G.CARTE:
        texte = _n("Votre paiement par carte de %(montant)s est confirmé par notre prestataire. Il paraîtra sur votre "
                  "compte dès que notre banque l'aura reçu.")  # fmt: skip
    elif declaration.genre == G.PAYE:
        texte = _n("Vous nous dites avoir payé %(montant)s le %(jour)s. Nous le vérifions au relevé de notre banque ; "
                  "d'ici là, nous ne vous relançons pas avant le %(fin)s.")  # fmt: skip
    elif declaration.genre == G.CONTESTE:
        texte = _n("Vous contestez %(montant)s. Une personne examine vos raisons et vous répond.")
    elif declaration.genre == G.DELAI and declaration.accord_id:
        texte = _n("Vous avez établi un échéancier : %(montant)s en %(n)s fois. Il n'engage personne tant que vous ne "
                   "l'avez pas signé sur votre page.")  # fmt: skip
    elif declaration.genre == G.DELAI:
        texte = _n("Vous demandez à payer %(montant)s en %(n)s fois. Cela n'accorde rien encore : une personne examine "
                  "votre demande et vous répond.")  # fmt: skip
    elif declaration.statut == S.ACCEPTEE:
        texte = _n("Vous vous engagez à payer %(montant)s le %(jour)s. C'est noté : aucune relance sur ces factures "
                  "d'ici là.")  # fmt: skip
    else:
        texte = _n("Vous proposez de payer %(montant)s le %(jour)s. Cela n'accorde rien encore : une personne examine "
                  "votre proposition et vous répond.")  # fmt: skip
    return _ecrire(declaration, "accuse", _n("Nous avons bien reçu votre message"), texte, delai=timedelta(0))


def repondre(declaration: Declaration, texte: str, *, acteur) -> Message | None:
    """Le mot d'une personne au client, annulable dix secondes."""
    return _ecrire(declaration, "reponse", _n("Votre message : notre réponse"), texte, acteur=acteur)


def _ecrire(
    declaration: Declaration, quoi: str, objet: str, texte: str, *, acteur=None, delai: timedelta = DELAI_ANNULATION
) -> Message | None:
    client = declaration.client
    adresse = adresse_du_lien(declaration.lien)
    if not adresse:
        return None
    with translation.override(client.langue):
        faits = {
            "montant": somme(declaration.montant, declaration.devise), "n": declaration.categorie,
            "jour": jour_lisible(declaration.jour), "fin": jour_lisible(declaration.retient_jusqu_au),
        }  # fmt: skip
        corps = [_("Bonjour,"), _(texte) % faits if acteur is None else texte]
        if pieces := sorted(set(declaration.echeances.values_list("facture__numero", flat=True))):
            corps.append(_("Factures : %(pieces)s.") % {"pieces": ", ".join(pieces)})
        corps.append(_("Répondez à ce message, ou rouvrez votre page : ce lien vous est réservé."))
        corps.append(f"{client.societe.telephone}\n{mentions(client.societe, client.langue)}".strip())
        return ecrire(
            client, genre=Message.Genre.DECLARATION, cle=f"declaration:{declaration.pk}:{quoi}", destinataire=adresse,
            objet=_(objet), texte="\n\n".join(corps), acteur=acteur, langue=client.langue, delai=delai,
        )  # fmt: skip
