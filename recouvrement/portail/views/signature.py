"""Lire l'accord, recevoir un code, signer. Un GET ne change rien : ouvrir l'accord n'engage à rien."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from factures.models import Accord
from factures.services.accords import de_l_accord
from recouvrement.commun import depot
from recouvrement.commun.horloge import maintenant
from recouvrement.portail import acces as porte
from recouvrement.portail import visites
from recouvrement.portail.acces import Acces, par_lien
from recouvrement.portail.forms import CodeForm, SignerForm
from relances.domaine.declarations import masquer
from relances.models import CodeSignature
from relances.services import signatures
from relances.services.declarations_portail_accords import envoyer_les_exemplaires

MONTRES = (Accord.Statut.PROPOSE, Accord.Statut.SIGNE, Accord.Statut.EXECUTE, Accord.Statut.ROMPU)


def _accord(acces: Acces, pk: int) -> Accord | None:
    """L'accord de ce client, à signer ou signé ; celui d'un autre, ou encore à approuver, n'existe pas."""
    return (
        Accord.objects.filter(client=acces.client, pk=pk, statut__in=MONTRES).select_related("client__societe").first()
    )


@par_lien
@require_safe
def accord(request, acces, pk):
    """L'accord, ses échéances, et le formulaire de signature."""
    trouve = _accord(acces, pk)
    return _montrer(request, acces, trouve) if trouve else porte.introuvable(request)


@par_lien
@require_safe
def fichier(request, acces, pk):
    """Le PDF, octet pour octet celui qui se signe."""
    trouve = _accord(acces, pk)
    try:
        octets = depot.lire(trouve.pdf_chemin, trouve.pdf_empreinte) if trouve else None
    except depot.ErreurDepot:
        octets = None
    if octets is None:
        return porte.introuvable(request)
    if request.method == "GET":
        visites.noter(acces, visites.Genre.FICHIER, trouve.reference)
    nom = f'attachment; filename="{trouve.reference}.pdf"'
    return HttpResponse(octets, content_type="application/pdf", headers={"Content-Disposition": nom})


@par_lien
@require_POST
def code(request, acces, pk):
    """Envoie un code à l'adresse connue choisie."""
    trouve = _accord(acces, pk)
    if trouve is None or acces.apercu:
        return porte.introuvable(request)
    form = CodeForm(request.POST)
    adresse = form.cleaned_data["adresse"] if form.is_valid() else ""
    try:
        signatures.demander_un_code(trouve, acces.lien, adresse=adresse, moment=maintenant())
    except signatures.SignatureRefusee as refus:
        return _montrer(request, acces, trouve, refus=str(refus), status=422)
    return HttpResponse(status=303, headers={"Location": acces.url("accord", pk) + "#signer"})


@par_lien
@require_POST
def signer(request, acces, pk):
    """Signe avec le code reçu ; tout refus dit pourquoi, et rien n'est signé."""
    trouve = _accord(acces, pk)
    if trouve is None or acces.apercu:
        return porte.introuvable(request)
    form = SignerForm(request.POST)
    if not form.is_valid():
        return _montrer(
            request, acces, trouve, form=form, status=422, refus=_("Complétez le code, le nom et la qualité.")
        )
    d = form.cleaned_data
    signataire = signatures.Signataire(d["nom"], d["qualite"], acces.adresse_ip or None, acces.agent)
    try:
        signe = signatures.signer(
            trouve, acces.lien, chiffres=d["code"], signataire=signataire, lu=d["lu"], moment=maintenant(), au=acces.au
        )
    except signatures.SignatureRefusee as refus:
        return _montrer(request, acces, trouve, form=form, refus=str(refus), status=422)
    envoyer_les_exemplaires(signe)
    return HttpResponse(status=303, headers={"Location": acces.url("accord", pk)})


def _montrer(request, acces: Acces, accord: Accord, *, form=None, refus: str = "", status: int = 200) -> HttpResponse:
    moment = maintenant()
    dernier = CodeSignature.objects.filter(
        accord=accord, lien=acces.lien, utilise_le=None, expire_le__gt=moment
    ).first()
    contexte = {
        "acces": acces, "accord": accord, "form": form or SignerForm(), "refus": refus,
        "adresses": signatures.adresses(acces.client), "code_envoye": masquer(dernier.courriel) if dernier else "",
        "mensualites": de_l_accord(accord).mensualites, "a_signer": accord.statut == Accord.Statut.PROPOSE,
        "perime": accord.expire_le < acces.au,
        "url_pdf": acces.url("accord_pdf", accord.pk) if accord.pdf_empreinte else "",
        "url_code": acces.url("accord_code", accord.pk), "url_signer": acces.url("accord_signer", accord.pk),
    }  # fmt: skip
    return render(request, "portail/signature.html", contexte, status=status)
