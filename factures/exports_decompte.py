"""Le décompte en classeur : chaque intérêt est une formule, à refaire par qui doute ; aucun texte n'en devient une."""

from io import BytesIO

from django.utils.translation import gettext as _

from recouvrement.commun.formats import jour

from .decompte import Decompte, source_du_taux
from .services import bareme as bareme_en_base

MONTANT = "#,##0.00;[Red]-#,##0.00;–"


def xlsx_decompte(d: Decompte) -> bytes:
    """Trois feuilles : synthèse par échéance, segments, règlements et avoirs. Mêmes chiffres que l'écran et le PDF."""
    import xlsxwriter

    flux = BytesIO()
    classeur = xlsxwriter.Workbook(
        flux,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    titre = _("Décompte au %(jour)s") % {"jour": jour(d.au)}
    classeur.set_properties({"title": titre, "company": d.client.societe.raison_sociale})
    styles = {
        "titre": classeur.add_format({"bold": True, "font_size": 14}),
        "entete": classeur.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
        "jour": classeur.add_format({"num_format": "dd/mm/yyyy", "align": "left"}),
        "montant": classeur.add_format({"num_format": MONTANT}),
        "taux": classeur.add_format({"num_format": "0.00"}),
        "total": classeur.add_format({"bold": True, "top": 1, "num_format": MONTANT}),
    }
    _synthese(classeur, styles, d, titre)
    _segments(classeur, styles, d)
    _reglements(classeur, styles, d)
    classeur.close()
    return flux.getvalue()


def _feuille(classeur, styles, nom: str, entetes: list[str], largeurs: list[int], rang: int):
    feuille = classeur.add_worksheet(nom)
    feuille.set_landscape()
    feuille.set_paper(9)
    feuille.fit_to_pages(1, 0)
    feuille.repeat_rows(rang)
    feuille.freeze_panes(rang + 1, 1)
    for colonne, (texte, largeur) in enumerate(zip(entetes, largeurs, strict=True)):
        feuille.set_column(colonne, colonne, largeur)
        feuille.write_string(rang, colonne, texte, styles["entete"])
    return feuille


def _ecrire(feuille, rang: int, cellules, styles) -> None:
    """(valeur, style) par colonne : un texte s'écrit toujours en texte."""
    for colonne, (valeur, style) in enumerate(cellules):
        if isinstance(valeur, str):
            feuille.write_string(rang, colonne, valeur)
        elif style == "jour":
            feuille.write_datetime(rang, colonne, valeur, styles["jour"])
        else:
            feuille.write_number(rang, colonne, valeur, styles[style] if style else None)


def _synthese(classeur, styles, d: Decompte, titre: str) -> None:
    entetes = [
        _("Facture"), _("Échéance"), _("Montant TTC"), _("Avoirs déduits"), _("Part contestée"), _("Principal restant"),
        _("Intérêts restants"), _("Indemnité"), _("Total"), _("Renonciation"),
    ]  # fmt: skip
    feuille = _feuille(classeur, styles, _("Décompte"), entetes, [22, 12, 15, 15, 15, 17, 17, 12, 15, 30], 5)
    feuille.write_string(0, 0, f"{titre} – {d.devise}", styles["titre"])
    feuille.write_string(1, 0, _("Créancier : %(nom)s") % {"nom": d.client.societe.raison_sociale})
    feuille.write_string(
        2, 0, _("Débiteur : %(nom)s (%(code)s)") % {"nom": d.client.raison_sociale, "code": d.client.code}
    )
    regle = _("Base %(base)s jours, arrondi au centime par segment ; imputation : %(regle)s.")
    feuille.write_string(3, 0, regle % {"base": d.base, "regle": d.client.get_imputation_display()})
    rang = 6
    for x in d.lignes:
        c, e = x.calcul, x.echeance
        cellules = [
            (e.facture.numero, ""), (e.date_echeance, "jour"), (e.montant, "montant"), (x.avoirs, "montant"),
            (x.conteste, "montant"),
        ]  # fmt: skip
        if c is None:
            cellules.append((x.refus, ""))
        else:
            cellules += [
                (c.principal_restant, "montant"), (c.interets_restants, "montant"), (c.indemnite_restante, "montant"),
            ]  # fmt: skip
        _ecrire(feuille, rang, cellules, styles)
        if c is not None:
            formule = f"=F{rang + 1}+G{rang + 1}+H{rang + 1}"
            total = c.principal_restant + c.interets_restants + c.indemnite_restante
            feuille.write_formula(rang, 8, formule, styles["montant"], total)
            if x.renonciation:
                feuille.write_string(rang, 9, x.renonciation.get_portee_display())
        rang += 1
    dernier = rang
    feuille.write_string(rang, 0, _("Total"), styles["total"])
    sommes = (d.principal, d.interets, d.indemnites, d.principal + d.interets + d.indemnites)
    for lettre, valeur in zip("FGHI", sommes, strict=True):
        feuille.write_formula(
            rang, "ABCDEFGHI".index(lettre), f"=SUM({lettre}7:{lettre}{dernier})", styles["total"], valeur
        )
    for credit in d.credits:
        rang += 1
        feuille.write_string(rang, 0, credit.reference)
        feuille.write_datetime(rang, 1, credit.date, styles["jour"])
        feuille.write_string(rang, 2, _("avoir non affecté") if credit.genre == "avoir" else _("règlement non affecté"))
        feuille.write_number(rang, 8, -credit.montant, styles["montant"])
    if d.indemnites_en_euros:
        rang += 1
        feuille.write_string(rang, 0, _("Indemnités, payables en euros et en sus"))
        feuille.write_number(rang, 8, -d.indemnites_en_euros, styles["montant"])
    rang += 1
    feuille.write_string(rang, 0, _("Total dû"), styles["total"])
    feuille.write_formula(rang, 8, f"=SUM(I{dernier + 1}:I{rang})", styles["total"], d.total)
    for credit in d.a_affecter:
        rang += 1
        feuille.write_string(rang, 0, credit.reference)
        feuille.write_datetime(rang, 1, credit.date, styles["jour"])
        feuille.write_string(rang, 2, _("reçu et non affecté : non déduit"))
        feuille.write_number(rang, 3, credit.montant, styles["montant"])


def _segments(classeur, styles, d: Decompte) -> None:
    entetes = [
        _("Facture"), _("Échéance"), _("Du"), _("Au"), _("Jours"), _("Principal"), _("Taux (%)"), _("Source du taux"),
        _("Intérêts"),
    ]  # fmt: skip
    feuille = _feuille(classeur, styles, _("Segments"), entetes, [22, 12, 12, 12, 8, 15, 10, 36, 14], 0)
    bareme, rang = bareme_en_base(), 1
    for x in d.lignes:
        for s in x.calcul.segments if x.calcul else ():
            cellules = [
                (x.echeance.facture.numero, ""), (x.echeance.date_echeance, "jour"), (s.du, "jour"), (s.au, "jour"),
                (s.jours, None), (s.principal, "montant"), (s.taux, "taux"),
                (source_du_taux(s, x, d.client, bareme), ""),
            ]  # fmt: skip
            _ecrire(feuille, rang, cellules, styles)
            formule = f"=ROUND(F{rang + 1}*G{rang + 1}/100*E{rang + 1}/{d.base},2)"
            feuille.write_formula(rang, 8, formule, styles["montant"], s.interets)
            rang += 1
    feuille.write_string(rang, 0, _("Intérêts courus"), styles["total"])
    feuille.write_formula(rang, 8, f"=SUM(I2:I{max(rang, 2)})", styles["total"], d.interets_courus)


def _reglements(classeur, styles, d: Decompte) -> None:
    entetes = [
        _("Facture"), _("Échéance"), _("Nature"), _("Référence"), _("Reçu ou émis le"), _("Affecté le"), _("Montant"),
        _("Sur intérêts"), _("Sur principal"), _("Sur indemnité"),
    ]  # fmt: skip
    largeurs = [22, 12, 14, 22, 14, 12, 15, 15, 15, 15]
    feuille = _feuille(classeur, styles, _("Règlements et avoirs"), entetes, largeurs, 0)
    genres = {"reglement": _("règlement"), "accessoires": _("accessoires"), "avoir": _("avoir")}
    rang = 1
    for x in d.lignes:
        for m in x.mouvements:
            cellules = [
                (x.echeance.facture.numero, ""), (x.echeance.date_echeance, "jour"), (genres[m.genre], ""),
                (m.reference, ""), (m.jour, "jour"), (m.affecte_le, "jour"), (m.montant, "montant"),
                (m.sur_interets, "montant"), (m.sur_principal, "montant"), (m.sur_indemnite, "montant"),
            ]  # fmt: skip
            _ecrire(feuille, rang, cellules, styles)
            rang += 1
