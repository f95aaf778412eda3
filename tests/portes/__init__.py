"""Une combinaison interdite, une porte, un essai : aucune ne la laisse passer."""
