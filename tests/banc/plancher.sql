-- Plancher : le même travail en SQL nu sur PostgreSQL, sans application autour ; mêmes colonnes que l'application.
create table client(code text primary key, raison_sociale text not null, siren text, siret text, adresse text,
  code_postal text, ville text, pays text, courriel text, telephone text, conditions text, plafond bigint);
create table facture(numero text primary key, client text not null, date_facture date not null,
  echeance date not null, ht bigint, tva bigint, ttc bigint not null, devise text not null, commande text);
create table encaissement(id bigint generated always as identity primary key, reference text not null,
  client text not null, date date not null, montant bigint not null, mode text, facture text);
create table relance(id bigint generated always as identity primary key, passage bigint not null, facture text not null,
  niveau smallint not null, palier bigint not null, courrier bigint, statut text not null, date date not null,
  reste_du bigint not null, conteste bigint not null, penalites bigint not null, indemnite bigint not null,
  raison text not null, unique (facture, niveau));
