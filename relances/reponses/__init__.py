"""Les courriels reçus : lus en un temps borné."""
