"""Les messages hors de l'échelle : dix secondes pour se raviser, une seule fois, jamais rejoués."""

from datetime import timedelta

import pytest
from django.utils import timezone

from relances.models import Message
from relances.services import messages
from tests.clients.factories import ClientFactory
from tests.comptes.factories import UtilisateurFactory

pytestmark = pytest.mark.django_db
S = Message.Statut


def ecrit(client=None, cle="essai") -> Message:
    return messages.ecrire(
        client or ClientFactory(), genre="promesse", cle=cle, destinataire="compta@client.example", objet="Objet",
        texte="Texte",
    )  # fmt: skip


def test_rien_ne_part_avant_les_dix_secondes_puis_une_seule_fois(mailoutbox):
    message = ecrit()
    assert messages.expedier(message.pk, moment=message.pas_avant - timedelta(seconds=1)) == S.A_ENVOYER
    assert mailoutbox == []
    for _fois in range(2):
        assert messages.expedier(message.pk, moment=message.pas_avant) == S.ENVOYE
    assert [m.to for m in mailoutbox] == [["compta@client.example"]]


def test_la_meme_cle_rend_le_meme_message_sauf_annule():
    premier = ecrit()
    assert ecrit(premier.client) == premier
    assert messages.annuler_message(premier, acteur=UtilisateurFactory())
    assert ecrit(premier.client) != premier


def test_annule_il_ne_part_pas_et_parti_il_ne_s_annule_plus(mailoutbox):
    annule, parti, personne = ecrit(), ecrit(), UtilisateurFactory()
    assert messages.annuler_message(annule, acteur=personne)
    assert messages.expedier(annule.pk, moment=annule.pas_avant) == S.ANNULE
    messages.expedier(parti.pk, moment=parti.pas_avant)
    assert not messages.annuler_message(parti, acteur=personne)
    assert len(mailoutbox) == 1


@pytest.mark.parametrize(("message_id", "attendu"), [("<commence@x>", S.INCERTAIN), ("", S.A_ENVOYER)])
def test_un_processus_tue_laisse_un_sort_inconnu_si_la_remise_avait_commence(mailoutbox, message_id, attendu):
    message = ecrit()
    hier = timezone.now() - timedelta(days=1)
    Message.objects.filter(pk=message.pk).update(statut=S.EN_COURS, pris_le=hier, tentatives=1, message_id=message_id)
    messages.reprendre_les_messages_interrompus()
    message.refresh_from_db()
    assert message.statut == attendu
    messages.expedier(message.pk, moment=message.pas_avant)
    assert len(mailoutbox) == (attendu == S.A_ENVOYER)
