"""Webhooks sortants : le journal est la boîte d'envoi (docs/decisions/0028-webhooks.md)."""
