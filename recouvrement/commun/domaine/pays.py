"""Noms de pays en français, pour la dernière ligne d'une adresse ; codes ISO 3166 à deux lettres."""

from .identifiants import IdentifiantInvalide

# ISO 3166-1 alpha-2, et XK : code d'usage du Kosovo dans les virements européens.
CODES = frozenset(
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
    "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW "
    "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM "
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW".split()
)

# Adresses françaises : ni ligne de pays, ni affranchissement international.
OUTRE_MER = ("GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF")

# L'usage y met la localité avant le code postal.
VILLE_AVANT_CODE = ("AU", "CA", "GB", "HK", "IE", "IN", "NZ", "SG", "US", "ZA")

PAYS = {
    "AD": "ANDORRE",
    "AE": "EMIRATS ARABES UNIS",
    "AR": "ARGENTINE",
    "AT": "AUTRICHE",
    "AU": "AUSTRALIE",
    "BE": "BELGIQUE",
    "BG": "BULGARIE",
    "BR": "BRESIL",
    "CA": "CANADA",
    "CH": "SUISSE",
    "CI": "COTE D IVOIRE",
    "CL": "CHILI",
    "CM": "CAMEROUN",
    "CN": "CHINE",
    "CY": "CHYPRE",
    "CZ": "REPUBLIQUE TCHEQUE",
    "DE": "ALLEMAGNE",
    "DK": "DANEMARK",
    "DZ": "ALGERIE",
    "EE": "ESTONIE",
    "EG": "EGYPTE",
    "ES": "ESPAGNE",
    "FI": "FINLANDE",
    "GB": "ROYAUME UNI",
    "GR": "GRECE",
    "HK": "HONG KONG",
    "HR": "CROATIE",
    "HU": "HONGRIE",
    "IE": "IRLANDE",
    "IL": "ISRAEL",
    "IN": "INDE",
    "IS": "ISLANDE",
    "IT": "ITALIE",
    "JP": "JAPON",
    "KR": "COREE DU SUD",
    "LB": "LIBAN",
    "LI": "LIECHTENSTEIN",
    "LT": "LITUANIE",
    "LU": "LUXEMBOURG",
    "LV": "LETTONIE",
    "MA": "MAROC",
    "MC": "MONACO",
    "MG": "MADAGASCAR",
    "ML": "MALI",
    "MT": "MALTE",
    "MU": "ILE MAURICE",
    "MX": "MEXIQUE",
    "NC": "NOUVELLE CALEDONIE",
    "NL": "PAYS BAS",
    "NO": "NORVEGE",
    "NZ": "NOUVELLE ZELANDE",
    "PF": "POLYNESIE FRANCAISE",
    "PL": "POLOGNE",
    "PT": "PORTUGAL",
    "QA": "QATAR",
    "RO": "ROUMANIE",
    "RS": "SERBIE",
    "SA": "ARABIE SAOUDITE",
    "SE": "SUEDE",
    "SG": "SINGAPOUR",
    "SI": "SLOVENIE",
    "SK": "SLOVAQUIE",
    "SN": "SENEGAL",
    "TG": "TOGO",
    "TH": "THAILANDE",
    "TN": "TUNISIE",
    "TR": "TURQUIE",
    "UA": "UKRAINE",
    "US": "ETATS UNIS",
    "VN": "VIETNAM",
    "ZA": "AFRIQUE DU SUD",
}


def verifier_pays(valeur: str) -> str:
    """Code en capitales. Lève IdentifiantInvalide s'il n'est pas attribué."""
    code = valeur.strip().upper()
    if code not in CODES:
        raise IdentifiantInvalide(f"Pays « {valeur} » : code à deux lettres attendu, comme FR, BE ou DE.")
    return code
