"""Écrire et vérifier le journal."""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.utils import timezone

from .models import Detail, Maillon

ORIGINE = "0" * 64
VERROU_PG = 7_206_601  # verrou consultatif : un seul maillon s'ajoute à la fois


def _empreinte_detail(texte: str, donnees: dict, sel: str) -> str:
    corps = json.dumps([sel, texte, donnees], cls=DjangoJSONEncoder, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(corps.encode()).hexdigest()


def _empreinte(m: Maillon) -> str:
    corps = json.dumps(
        [
            m.rang, m.quand.isoformat(), m.societe_id, m.acteur_id, m.action, m.objet_type, m.objet_id,
            m.client_id, m.empreinte_detail, m.precedent,
        ]
    )  # fmt: skip
    return hashlib.sha256(corps.encode()).hexdigest()


def consigner(action: str, *, societe=None, acteur=None, objet=None, client=None, texte="", donnees=None) -> Maillon:
    """Ajoute un maillon dans la transaction en cours (ou la sienne).

    action : verbe court (« client.suspendu »). objet : instance concernée. client : instance ou identifiant,
    pour la chronologie. texte : phrase pour l'écran. donnees : dict sérialisable (montants en chaînes).
    """
    fait = {"objet": objet, "client": client, "texte": texte, "donnees": donnees}
    return consigner_tous(action, [fait], societe=societe, acteur=acteur)[0]


def consigner_tous(action: str, faits: Iterable[Mapping], *, societe=None, acteur=None) -> list[Maillon]:
    """Ajoute un maillon par fait, à la suite, en un nombre fixe de requêtes par millier.

    faits : dicts aux clés de `consigner` (objet, client, texte, donnees), toutes facultatives.
    """
    maillons, details = [], []
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cur:
                cur.execute("select pg_advisory_xact_lock(%s)", [VERROU_PG])
        dernier = Maillon.objects.order_by("-rang").values_list("rang", "empreinte").first() or (0, ORIGINE)
        for fait in faits:
            objet, client, texte = fait.get("objet"), fait.get("client"), fait.get("texte", "")
            sel = secrets.token_hex(16)
            # Le JSON relu de la base doit redonner la même empreinte : on normalise avant.
            donnees = json.loads(json.dumps(fait.get("donnees") or {}, cls=DjangoJSONEncoder))
            maillon = Maillon(
                rang=dernier[0] + 1,
                quand=timezone.now(),
                societe=societe,
                acteur=acteur if acteur is not None and acteur.pk else None,
                action=action,
                objet_type=objet._meta.label_lower if objet is not None else "",
                objet_id=objet.pk if objet is not None else None,
                client_id=getattr(client, "pk", client),
                empreinte_detail=_empreinte_detail(texte, donnees, sel),
                precedent=dernier[1],
            )
            maillon.empreinte = _empreinte(maillon)
            dernier = maillon.rang, maillon.empreinte
            maillons.append(maillon)
            details.append(Detail(maillon=maillon, texte=texte, donnees=donnees, sel=sel))
        if len(maillons) == 1:
            maillons[0].save(force_insert=True)
        else:
            Maillon.objects.bulk_create(maillons, batch_size=1_000)
        for detail, maillon in zip(details, maillons, strict=True):
            detail.maillon_id = maillon.pk
        Detail.objects.bulk_create(details, batch_size=1_000)
    return maillons


def deja_consigne(action: str, *, client, cle: str) -> Maillon | None:
    """Maillon déjà écrit par ce formulaire (sa clé est dans les données) ; l'appelant tient le verrou du client."""
    if not cle:
        return None
    maillons = Maillon.objects.filter(client_id=client.pk, action=action, detail__donnees__cle=cle)
    return maillons.order_by("rang").first()


@dataclass
class Verification:
    maillons: int
    defauts: list[str]


def verifier_chaine() -> Verification:
    """Relit toute la chaîne en flux : rangs continus, chaînage, empreintes, textes non retouchés."""
    precedent, attendu, defauts, n = ORIGINE, 1, [], 0
    lus = Maillon.objects.select_related("detail").order_by("rang")
    for m in lus.iterator(chunk_size=2000):
        n += 1
        if m.rang != attendu:
            defauts.append(f"rang {attendu} absent")
            attendu = m.rang
        if m.precedent != precedent:
            defauts.append(f"maillon {m.rang} : chaînage rompu")
        if _empreinte(m) != m.empreinte:
            defauts.append(f"maillon {m.rang} : contenu modifié")
        d = getattr(m, "detail", None)
        if d is None:
            defauts.append(f"maillon {m.rang} : détail absent")
        elif d.efface_le is None and _empreinte_detail(d.texte, d.donnees, d.sel) != m.empreinte_detail:
            defauts.append(f"maillon {m.rang} : texte modifié")
        precedent, attendu = m.empreinte, attendu + 1
    return Verification(n, defauts)
