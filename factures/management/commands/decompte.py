"""manage.py decompte : le décompte opposable de factures d'un client, arrêté à un jour."""

import json
from decimal import Decimal

from django.core.management.base import BaseCommand, CommandError

from factures.decompte import Decompte, Ligne, source_du_taux
from factures.exports_decompte import xlsx_decompte
from factures.management.arguments import jour
from factures.services import bareme
from recouvrement.commun.domaine.ecriture import euros, jj, pct, somme
from recouvrement.commun.horloge import aujourd_hui
from recouvrement.commun.pdf import PdfIndisponible
from recouvrement.comptes.models import Societe
from relances.services.decomptes import DecompteRefuse, etablir, factures_du_meme_client, rendre_pdf


class Command(BaseCommand):
    help = "Arrête le décompte de factures d'un même client : principal, intérêts par segment, indemnités, total."

    def add_arguments(self, parser):
        parser.add_argument("factures", nargs="+", metavar="FACTURE", help="numéro de facture")
        parser.add_argument("--au", type=jour, required=True, help="jour d'arrêté inclus, AAAA-MM-JJ")
        parser.add_argument("--societe", metavar="CODE", help="facultatif s'il n'y en a qu'une")
        parser.add_argument("--json", action="store_true", help="imprime un seul objet JSON sur la sortie standard")
        parser.add_argument("--pdf", metavar="FICHIER", help="écrit aussi le PDF opposable")
        parser.add_argument("--xlsx", metavar="FICHIER", help="écrit aussi le classeur")

    def handle(self, *args, factures, au, societe, pdf, xlsx, **options):
        try:
            d = self._etablir(factures, au, _societe(societe))
            fichiers = [
                (pdf, rendre_pdf(d, le=aujourd_hui())) if pdf else None,
                (xlsx, xlsx_decompte(d)) if xlsx else None,
            ]
        except (DecompteRefuse, PdfIndisponible) as refus:
            if options["json"]:
                self.stdout.write(json.dumps({"refus": str(refus)}, ensure_ascii=False))
            raise CommandError(str(refus), returncode=1) from refus
        for nom, contenu in filter(None, fichiers):
            try:
                with open(nom, "wb") as fichier:
                    fichier.write(contenu)
            except OSError as erreur:
                raise CommandError(f"{nom} : {erreur.strerror}", returncode=2) from erreur
        self.stdout.write(json.dumps(en_json(d), ensure_ascii=False) if options["json"] else en_clair(d))

    def _etablir(self, numeros, au, societe) -> Decompte:
        trouvees = factures_du_meme_client(numeros, societe=societe)
        decomptes = etablir(trouvees[0].client, au=au, factures=[f.pk for f in trouvees])
        if not decomptes:
            raise DecompteRefuse(f"rien d'échu au {jj(au)}")
        if len(decomptes) > 1:
            raise DecompteRefuse("un décompte tient dans une devise : " + ", ".join(d.devise for d in decomptes))
        d = decomptes[0]
        if not d.calculable:
            raise DecompteRefuse(d.refus)
        return d


def _societe(code: str | None) -> Societe:
    societes = Societe.objects.filter(code=code) if code else Societe.objects.all()
    trouvees = list(societes[:2])
    if len(trouvees) == 1:
        return trouvees[0]
    if code:
        raise CommandError(f"société inconnue : {code}", returncode=2)
    raise CommandError("plusieurs sociétés : --societe CODE" if trouvees else "aucune société", returncode=2)


def _deux(nombre: Decimal) -> str:
    return f"{nombre:.2f}"


def en_json(d: Decompte) -> dict:
    """Objet du contrat : montants et taux en chaînes à deux décimales, dates ISO."""
    return {
        "societe": d.client.societe.code,
        "client": d.client.code,
        "devise": d.devise,
        "au": d.au.isoformat(),
        "base": d.base,
        "imputation": d.client.imputation,
        "lignes": [_ligne(d, x) for x in d.lignes],
        "a_affecter": [
            {"genre": c.genre, "reference": c.reference, "date": c.date.isoformat(), "montant": _deux(c.montant)}
            for c in d.a_affecter
        ],
        "principal": _deux(d.principal),
        "interets": _deux(d.interets),
        "interets_courus": _deux(d.interets_courus),
        "indemnites": _deux(d.indemnites),
        "total": _deux(d.total),
        "avertissements": [{"facture": str(e.facture), **a._asdict()} for e, a in d.avertissements],
    }


def _ligne(d: Decompte, x: Ligne) -> dict:
    c, taux = x.calcul, bareme()
    return {
        "facture": x.echeance.facture.numero,
        "echeance": x.echeance.date_echeance.isoformat(),
        "montant": _deux(x.echeance.montant),
        "avoirs": _deux(x.avoirs),
        "conteste": _deux(x.conteste),
        "renonciation": x.renonciation.portee if x.renonciation else None,
        "segments": [
            {
                "du": s.du.isoformat(),
                "au": s.au.isoformat(),
                "jours": s.jours,
                "principal": _deux(s.principal),
                "taux": _deux(s.taux),
                "source": source_du_taux(s, x, d.client, taux),
                "interets": _deux(s.interets),
            }
            for s in c.segments
        ],
        "paiements": [
            {
                "jour": p.jour.isoformat(),
                "montant": _deux(p.montant),
                "sur_interets": _deux(p.sur_interets),
                "sur_principal": _deux(p.sur_principal),
                "sur_indemnite": _deux(p.sur_indemnite),
                "principal_restant": _deux(p.principal_restant),
            }
            for p in c.paiements
        ],
        "mouvements": [
            {
                "genre": m.genre,
                "reference": m.reference,
                "jour": m.jour.isoformat(),
                "affecte_le": m.affecte_le.isoformat(),
                "montant": _deux(m.montant),
                "sur_principal": _deux(m.sur_principal),
                "sur_interets": _deux(m.sur_interets),
                "sur_indemnite": _deux(m.sur_indemnite),
            }
            for m in x.mouvements
        ],
        "principal": _deux(c.principal_restant),
        "interets": _deux(c.interets_restants),
        "interets_courus": _deux(c.interets),
        "indemnite": _deux(c.indemnite_restante),
        "total": _deux(c.total),
    }


def en_clair(d: Decompte) -> str:
    """Le même compte, à lire : un segment ou un règlement par ligne, puis les totaux."""
    lignes = [f"Décompte au {jj(d.au)} – {d.client.raison_sociale} ({d.client.code}), base {d.base} jours"]
    for x in d.lignes:
        lignes.append(f"{x.echeance.facture}, échéance du {jj(x.echeance.date_echeance)}")
        for genre, o in x.lignes:
            if genre == "segment":
                texte = (
                    f"  {jj(o.du)} – {jj(o.au)}  {o.jours:>4} j  {somme(o.principal, d.devise):>18}  {pct(o.taux):>8}"
                )
                lignes.append(f"{texte}  {somme(o.interets, d.devise):>14}")
            else:
                sur = f"intérêts {somme(o.sur_interets, d.devise)}, principal {somme(o.sur_principal, d.devise)}"
                lignes.append(f"  {jj(o.jour)}  reçu {somme(o.montant, d.devise)} : {sur}")
    lignes += [
        f"Principal restant : {somme(d.principal, d.devise)}",
        f"Intérêts restants : {somme(d.interets, d.devise)}",
        f"Indemnités : {euros(d.indemnites)}",
        f"Total : {somme(d.total, d.devise)}",
    ]
    if d.a_affecter:
        lignes.append(f"{somme(d.reste_a_affecter, d.devise)} reçus et non affectés, non déduits : affectez-les.")
    if d.jugement:
        lignes.append(f"Intérêts arrêtés la veille du jugement d'ouverture du {jj(d.jugement)} (L622-28).")
    return "\n".join([*lignes, *(f"{e.facture} : {a.texte}" for e, a in d.avertissements)])
