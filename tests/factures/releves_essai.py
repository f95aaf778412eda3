"""Relevés bancaires écrits pour les essais, dans chaque format."""

from decimal import Decimal

POSITIFS, NEGATIFS = "{ABCDEFGHI", "}JKLMNOPQR"
IBAN = "FR7630006000011234567890189"
BANQUE, GUICHET, COMPTE = "30006", "00001", "12345678901"


def surcharge(montant) -> str:
    centimes = int(Decimal(montant) * 100)
    chiffres = f"{abs(centimes):014d}"
    return chiffres[:-1] + (NEGATIFS if centimes < 0 else POSITIFS)[int(chiffres[-1])]


def _ligne(code, jour, montant, *, compte=COMPTE, operation="  ", libelle="", suite="", devise="EUR", valeur="      "):
    debut = f"{code}{BANQUE}    {GUICHET}{devise}2 {compte}{operation}{jour}  {valeur}{libelle:<31}"
    return f"{debut:<90}{surcharge(montant)}{suite:<16}"


def cfonb(
    operations, *, ouverture="100.00", jour="020126", fin="310126", cloture=None, compte=COMPTE, details=()
) -> str:
    """operations : [(code, montant, libellé)] du 05/01/2026."""
    total = Decimal(ouverture) + sum(Decimal(m) for _, m, _ in operations)
    lignes = [_ligne("01", jour, ouverture, compte=compte)]
    for code, montant, libelle in operations:
        lignes.append(_ligne("04", "050126", montant, compte=compte, operation=code, libelle=libelle, valeur="060126"))
        lignes += [f"05{BANQUE}    {GUICHET}EUR2 {compte}{code}050126     {q}{texte:<70}  " for q, texte in details]
    lignes.append(_ligne("07", fin, total if cloture is None else cloture, compte=compte))
    return "\n".join(lignes) + "\n"


def camt(
    ecritures, *, ouverture="100.00", cloture=None, version="02", iban=IBAN, devise="EUR", fin="2026-01-31"
) -> str:
    """ecritures : XML de Ntry. cloture None : pas de CLBD."""

    def solde(genre, valeur, jour):
        sens = "DBIT" if valeur.startswith("-") else "CRDT"
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{genre}</Cd></CdOrPrtry></Tp><Amt Ccy='{devise}'>{valeur.lstrip('-')}</Amt>"
            f"<CdtDbtInd>{sens}</CdtDbtInd><Dt><Dt>{jour}</Dt></Dt></Bal>"
        )

    soldes = solde("OPBD", ouverture, "2026-01-02") + (solde("CLBD", cloture, fin) if cloture else "")
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        f"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}'>"
        f"<BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt><Id>R1</Id><Acct><Id><IBAN>{iban}</IBAN></Id>"
        f"<Ccy>{devise}</Ccy></Acct>{soldes}{''.join(ecritures)}</Stmt></BkToCstmrStmt></Document>"
    )


def ntry(montant="50.00", sens="CRDT", *, details="", statut="BOOK", ref="REF1", devise="EUR", plus="") -> str:
    return (
        f"<Ntry><Amt Ccy='{devise}'>{montant}</Amt><CdtDbtInd>{sens}</CdtDbtInd>{plus}<Sts>{statut}</Sts>"
        f"<BookgDt><Dt>2026-01-05</Dt></BookgDt><ValDt><Dt>2026-01-06</Dt></ValDt><AcctSvcrRef>{ref}</AcctSvcrRef>"
        "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
        f"<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def tx(montant="", *, nom="ACME", motif="FACTURE F-12", iban="", bout="NOTPROVIDED", autres="") -> str:
    valeur = f"<AmtDtls><TxAmt><Amt Ccy='EUR'>{montant}</Amt></TxAmt></AmtDtls>" if montant else ""
    compte = f"<DbtrAcct><Id><IBAN>{iban}</IBAN></Id></DbtrAcct>" if iban else ""
    return (
        f"<TxDtls><Refs><EndToEndId>{bout}</EndToEndId></Refs>{valeur}<RltdPties><Dbtr><Nm>{nom}</Nm></Dbtr>{compte}"
        f"</RltdPties><RmtInf><Ustrd>{motif}</Ustrd></RmtInf>{autres}</TxDtls>"
    )


def ofx(operations, *, solde="150.00", compte=COMPTE, devise="EUR") -> str:
    """operations : [(AAAAMMJJ, montant, FITID, libellé)]."""
    lignes = "".join(
        f"<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>{jour}<TRNAMT>{montant}<FITID>{cle}<NAME>{nom}</STMTTRN>"
        for jour, montant, cle, nom in operations
    )
    return (
        "OFXHEADER:100\nDATA:OFXSGML\nENCODING:USASCII\nCHARSET:1252\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS>"
        f"<CURDEF>{devise}<BANKACCTFROM><BANKID>{BANQUE}<BRANCHID>{GUICHET}<ACCTID>{compte}</BANKACCTFROM><BANKTRANLIST>"
        f"<DTSTART>20260102<DTEND>20260131{lignes}</BANKTRANLIST><LEDGERBAL><BALAMT>{solde}<DTASOF>20260131</LEDGERBAL>"
        "</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
    )


def mt940(operations, *, ouverture="C260102EUR100,00", cloture="C260131EUR150,00", compte=IBAN) -> str:
    """operations : [(:61:, :86:)]."""
    corps = "".join(f":61:{o}\n:86:{d}\n" for o, d in operations)
    return f":20:STARTUMS\n:25:{compte}\n:28C:1/1\n:60F:{ouverture}\n{corps}:62F:{cloture}\n-\n"


CSV = "Date;Date de valeur;Montant;Libellé;Solde\n05/01/2026;06/01/2026;50,00;VIR SEPA ACME F-12;150,00\n"
